#include "load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace muster::bench {
namespace {

std::string json(const Spread& s) {
  return fmt::format(R"({{"calls": {}, "p50_ms": {:.4f}, "p99_ms": {:.4f}, "max_ms": {:.4f}}})", s.calls,
                     s.p50, s.p99, s.most);
}

}  // namespace

void Report::blocked(const std::string& keys, int count, const BlockedResult& r) {
  const std::string how = keys.empty() ? "plain" : "mutual TLS, " + keys;
  fmt::print(
      "{}: {} binds wait after {:.0f} ms (processor time: server {:.0f}, caller {:.0f} ms), "
      "RSS {:.0f} -> {:.0f} MB, all answered {:.0f} ms after their release\n",
      how, count, r.settle_ms, r.server_cpu_ms, r.caller_cpu_ms, r.rss_before_mb, r.rss_mb, r.release_ms);
  std::string rows;
  for (const FilterRow& row : r.filter) {
    fmt::print(
        "  filter meanwhile, {:5} names, {}: server p50 {:.3f} p99 {:.3f}, caller p50 {:.3f} p99 {:.3f} "
        "ms\n",
        row.names, row.member ? "planned" : "foreign", row.server.p50, row.server.p99, row.caller.p50,
        row.caller.p99);
    rows += fmt::format("{}\n    {{\"names\": {}, \"pod\": \"{}\", \"server\": {}, \"caller\": {}}}",
                        rows.empty() ? "" : ",", row.names, row.member ? "planned" : "foreign",
                        json(row.server), json(row.caller));
    if (row.names == 5000) {
      bar(how + ": filter in the server, 5,000 names, p50 ms", row.server.p50, 0.2);
      bar(how + ": filter in the server, 5,000 names, p99 ms", row.server.p99, 2);
    }
    if (row.names == 100) {
      bar(how + ": filter at the caller, 100 names, p50 ms", row.caller.p50, 0.2);
      bar(how + ": filter at the caller, 100 names, p99 ms", row.caller.p99, 2);
    }
  }
  add(fmt::format(
      "\"{}\": {{\"keys\": \"{}\", \"binds\": {}, \"settle_ms\": {:.1f}, \"server_cpu_ms\": {:.1f}, "
      "\"caller_cpu_ms\": {:.1f}, \"rss_before_mb\": {:.1f}, \"rss_mb\": {:.1f}, \"release_ms\": {:.1f}, "
      "\"clean_end\": {}, \"filter\": [{}]}}",
      how, keys.empty() ? "none" : keys, count, r.settle_ms, r.server_cpu_ms, r.caller_cpu_ms,
      r.rss_before_mb, r.rss_mb, r.release_ms, r.clean_end, rows));
  if (keys.empty()) bar(how + ": settle ms", r.settle_ms, 1000);
  // A second of two processors; the caller's half of the handshakes is not Muster's.
  if (keys == kRecommendedKeys)
    bar(how + ": the server's processor time until settled, ms", r.server_cpu_ms, 2000);
  bar(how + ": RSS MB", r.rss_mb, keys.empty() ? 80 : 200);
  bar(how + ": release ms", r.release_ms, 1000);
  if (!r.clean_end) bar(how + ": unclean end", 1, 1);
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
  auto both = [](const WellBehaved& calls) {
    return fmt::format("{{\"kept\": {}, \"new\": {}}}", json(calls.kept), json(calls.fresh));
  };
  add(fmt::format(
      "\"abuse\": {{\"abusers\": {}, \"seconds\": {}, \"connections\": {}, \"quiet\": {}, \"beside\": {}, "
      "\"rss_peak_mb\": {:.1f}, \"clean_end\": {}}}",
      abusers, time.count(), r.connections, both(r.quiet), both(r.beside), r.rss_peak_mb, r.clean_end));
  bar("abuse: p99 ms of calls over a kept connection", r.beside.kept.p99, 5);
  bar("abuse: p99 ms of calls over a new connection", r.beside.fresh.p99, 5);
  bar("abuse: RSS MB", r.rss_peak_mb, 200);
  if (!r.clean_end) bar("abuse: unclean end", 1, 1);
}

int Report::end(const std::string& file) {
  std::string bars;
  bool held = true;
  for (const Bar& bar : bars_) {
    held = held && bar.held();
    if (!bar.held()) fmt::print("NOT HELD: {}: {:.3f}, not below {}\n", bar.what, bar.measured, bar.below);
    bars += fmt::format("{}\n    {{\"what\": \"{}\", \"measured\": {:.4f}, \"below\": {}, \"held\": {}}}",
                        bars.empty() ? "" : ",", bar.what, bar.measured, bar.below, bar.held());
  }
  fmt::print("{} of {} bars held\n",
             std::count_if(bars_.begin(), bars_.end(), [](const Bar& b) { return b.held(); }), bars_.size());
  add(fmt::format("\"bars\": [{}]", bars));
  if (!file.empty())
    std::ofstream(file) << fmt::format("{{\n  \"benchmark\": \"load\",\n  {}\n}}\n",
                                       fmt::join(parts_, ",\n  "));
  return held ? 0 : 1;
}

void Report::bar(std::string what, double measured, double below) {
  bars_.push_back({std::move(what), measured, below});
}

}  // namespace muster::bench
