#include "load/report.h"

#include <fmt/format.h>

#include <utility>

namespace muster::bench {
namespace {

Json to_json(const Spread& s) {
  return {{"calls", s.calls}, {"p50_ms", s.p50}, {"p99_ms", s.p99}, {"max_ms", s.most}};
}

Json to_json(const WellBehaved& calls) {
  return {{"kept", to_json(calls.kept)}, {"new", to_json(calls.fresh)}};
}

}  // namespace

void Report::blocked(const std::string& keys, int count, const BlockedResult& r) {
  const std::string how = keys.empty() ? "plain" : "mutual TLS, " + keys;
  fmt::print(
      "{}: {} binds wait after {:.0f} ms (processor time: server {:.0f}, caller {:.0f} ms), "
      "RSS {:.0f} -> {:.0f} MB, all answered {:.0f} ms after their release\n",
      how, count, r.settle_ms, r.server_cpu_ms, r.caller_cpu_ms, r.rss_before_mb, r.rss_mb, r.release_ms);
  Json rows = Json::array();
  for (const FilterRow& row : r.filter) {
    fmt::print(
        "  filter meanwhile, {:5} names, {}: server p50 {:.3f} p99 {:.3f}, caller p50 {:.3f} p99 {:.3f} "
        "ms\n",
        row.names, row.member ? "planned" : "foreign", row.server.p50, row.server.p99, row.caller.p50,
        row.caller.p99);
    rows.push_back({{"names", row.names},
                    {"pod", row.member ? "planned" : "foreign"},
                    {"server", to_json(row.server)},
                    {"caller", to_json(row.caller)}});
    if (row.names == 5000) {
      bars_.below(how + ": filter in the server, 5,000 names, p50 ms", row.server.p50, 0.2);
      bars_.below(how + ": filter in the server, 5,000 names, p99 ms", row.server.p99, 2);
    }
    if (row.names == 100) {
      bars_.below(how + ": filter at the caller, 100 names, p50 ms", row.caller.p50, 0.2);
      bars_.below(how + ": filter at the caller, 100 names, p99 ms", row.caller.p99, 2);
    }
  }
  figures_["blocked"].push_back({{"how", how},
                                 {"keys", keys.empty() ? "none" : keys},
                                 {"binds", count},
                                 {"settle_ms", r.settle_ms},
                                 {"server_cpu_ms", r.server_cpu_ms},
                                 {"caller_cpu_ms", r.caller_cpu_ms},
                                 {"rss_before_mb", r.rss_before_mb},
                                 {"rss_mb", r.rss_mb},
                                 {"release_ms", r.release_ms},
                                 {"clean_end", r.clean_end},
                                 {"filter", std::move(rows)}});
  if (keys.empty()) bars_.below(how + ": settle ms", r.settle_ms, 1000);
  // A second of two processors; the caller's half of the handshakes is not Muster's.
  if (keys == kRecommendedKeys)
    bars_.below(how + ": the server's processor time until settled, ms", r.server_cpu_ms, 2000);
  bars_.below(how + ": RSS MB", r.rss_mb, keys.empty() ? 80 : 200);
  bars_.below(how + ": release ms", r.release_ms, 1000);
  if (!r.clean_end) bars_.below(how + ": unclean end", 1, 1);
}

void Report::abused(int abusers, std::chrono::seconds time, const AbuseResult& r) {
  auto show = [](const char* what, const WellBehaved& calls) {
    fmt::print(
        "  {}: kept connection p50 {:.3f} p99 {:.3f} max {:.1f}, new one p50 {:.3f} p99 {:.3f} max {:.1f} "
        "ms\n",
        what, calls.kept.p50, calls.kept.p99, calls.kept.most, calls.fresh.p50, calls.fresh.p99,
        calls.fresh.most);
  };
  fmt::print(
      "filter at 1,000 names every 5 ms, beside {} abusive callers for {} s ({} connections), RSS at most "
      "{:.0f} MB\n",
      abusers, time.count(), r.connections, r.rss_peak_mb);
  show("before", r.quiet);
  show("beside them", r.beside);
  figures_["abuse"] = {{"abusers", abusers},           {"seconds", time.count()},
                       {"connections", r.connections}, {"quiet", to_json(r.quiet)},
                       {"beside", to_json(r.beside)},  {"rss_peak_mb", r.rss_peak_mb},
                       {"clean_end", r.clean_end}};
  bars_.below("abuse: p99 ms of calls over a kept connection", r.beside.kept.p99, 5);
  bars_.below("abuse: p99 ms of calls over a new connection", r.beside.fresh.p99, 5);
  bars_.below("abuse: RSS MB", r.rss_peak_mb, 200);
  if (!r.clean_end) bars_.below("abuse: unclean end", 1, 1);
}

int Report::end(const Program& program) {
  bars_.sum_up();
  figures_["bars"] = bars_.json();
  return program.finish(figures_, bars_.all_held() ? 0 : 1);
}

}  // namespace muster::bench
