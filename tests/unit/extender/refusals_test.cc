#include "extender/refusals.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <nlohmann/json.hpp>

#include "extender/refusal_log.h"
#include "support/soon.h"

namespace muster::extender {
namespace {

using nlohmann::json;

Refusal refusal(const std::string& uid, std::string why = "muster: 3 of 4 exist") {
  return {"filter", "127.0.0.1", "ns", "pod-" + uid, uid, std::move(why)};
}

std::vector<json> lines_of(Refusals& refusals) {
  std::vector<json> lines;
  for (const AuditLine& line : refusals.take(Duration(0))) lines.push_back(json::parse(line.text()));
  return lines;
}

TEST_CASE(
    "refusals: what is refused again for the same reason has one line, whatever numbers the reason has") {
  Refusals refusals;
  refusals.refused(refusal("a", "muster: 3 of 4 exist"));
  refusals.refused(refusal("a", "muster: 12 of 4 exist"));
  refusals.refused(refusal("b", "muster: 3 of 4 exist"));
  const std::vector<json> lines = lines_of(refusals);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["uid"] == "a");
  CHECK_FALSE(lines[0].contains("repeated"));
  CHECK(lines[1]["uid"] == "b");
}

TEST_CASE(
    "refusals: another reason, plan, node or caller is another refusal; how often the last was repeated "
    "comes first") {
  Refusals refusals;
  Refusal next = refusal("a");
  refusals.refused(next);
  refusals.refused(next);
  CHECK(lines_of(refusals).size() == 1);
  next.why = "muster: waits for room";
  refusals.refused(next);
  const std::vector<json> lines = lines_of(refusals);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["why"] == "muster: 3 of 4 exist");
  CHECK(lines[0]["repeated"] == 1);
  CHECK(lines[1]["why"] == "muster: waits for room");

  for (std::string Refusal::* field : {&Refusal::why, &Refusal::plan, &Refusal::node, &Refusal::caller}) {
    next.*field += "x";
    refusals.refused(next);
    CHECK(lines_of(refusals).size() == 1);
  }
  next.why += " 7";
  refusals.refused(next);
  CHECK(lines_of(refusals).size() == 1);
}

TEST_CASE("refusals: what goes on says once in a period how often it was repeated, in its latest words") {
  Refusals refusals;
  refusals.refused(refusal("a", "muster: 1 of 4 exist"));
  refusals.refused(refusal("a", "muster: 2 of 4 exist"));
  refusals.refused(refusal("a", "muster: 3 of 4 exist"));
  CHECK(lines_of(refusals).size() == 1);
  refusals.sweep();
  const std::vector<json> lines = lines_of(refusals);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["why"] == "muster: 3 of 4 exist");
  CHECK(lines[0]["repeated"] == 2);
  refusals.refused(refusal("a"));
  refusals.sweep();
  CHECK(lines_of(refusals).at(0)["repeated"] == 1);
  refusals.refused(refusal("a"));
  CHECK(lines_of(refusals).empty());
}

TEST_CASE("refusals: what nobody has asked for in a whole period is forgotten") {
  Refusals refusals;
  refusals.refused(refusal("a"));
  refusals.sweep();
  refusals.refused(refusal("a"));
  CHECK(lines_of(refusals).size() == 1);
  refusals.sweep();
  refusals.sweep();
  CHECK(lines_of(refusals).size() == 1);
  refusals.refused(refusal("a"));
  const std::vector<json> lines = lines_of(refusals);
  REQUIRE(lines.size() == 1);
  CHECK_FALSE(lines[0].contains("repeated"));
}

TEST_CASE("refusals: the end of one is told with its count, and another verb's goes on") {
  Refusals refusals;
  Refusal preempt = refusal("a");
  preempt.verb = "preempt";
  for (int i = 0; i < 3; ++i) {
    refusals.refused(refusal("a"));
    refusals.refused(preempt);
  }
  CHECK(lines_of(refusals).size() == 2);
  refusals.passed("filter", "a");
  refusals.passed("filter", "b");
  const std::vector<json> lines = lines_of(refusals);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["verb"] == "filter");
  CHECK(lines[0]["repeated"] == 2);
  refusals.refused(preempt);
  CHECK(lines_of(refusals).empty());
  refusals.refused(refusal("a"));
  refusals.passed("filter", "a");
  CHECK(lines_of(refusals).size() == 1);  // it was not repeated: its line has said all
}

TEST_CASE("refusals: a pod that is gone or bound is forgotten, one that waits is not") {
  Refusals refusals;
  for (const char* uid : {"gone", "bound", "waits"}) {
    refusals.refused(refusal(uid));
    refusals.refused(refusal(uid));
  }
  CHECK(lines_of(refusals).size() == 3);
  kube::Pod gone;
  gone.uid = "gone";
  kube::Pod bound;
  bound.uid = "bound";
  bound.node_name = "node-1";
  kube::Pod waits;
  waits.uid = "waits";
  refusals.follow(
      {kube::Remove<kube::Pod>{gone}, kube::Upsert<kube::Pod>{bound}, kube::Upsert<kube::Pod>{waits}});
  const std::vector<json> lines = lines_of(refusals);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["uid"] == "gone");
  CHECK(lines[1]["uid"] == "bound");
  for (const char* uid : {"gone", "bound", "waits"}) refusals.refused(refusal(uid));
  CHECK(lines_of(refusals).size() == 2);
}

TEST_CASE("refusals: of more pods than are remembered each refusal has its line") {
  Refusals refusals;
  for (std::size_t i = 0; i < Refusals::kMaxRemembered; ++i) {
    refusals.refused(refusal(std::to_string(i)));
    if (i % 1'000 == 0) (void)refusals.take(Duration(0));
  }
  (void)refusals.take(Duration(0));
  for (int i = 0; i < 3; ++i) refusals.refused(refusal("more"));
  refusals.refused(refusal("0"));
  CHECK(lines_of(refusals).size() == 3);
  refusals.passed("filter", "0");
  for (int i = 0; i < 3; ++i) refusals.refused(refusal("more"));
  CHECK(lines_of(refusals).size() == 2);  // the count of "0", and the line of "more", which is remembered now
}

TEST_CASE(
    "refusals: a log that nobody writes takes no more than so many lines, and how many were lost is told") {
  Refusals refusals;
  for (std::size_t i = 0; i < Refusals::kMaxWaiting + 2; ++i) refusals.refused(refusal(std::to_string(i)));
  const std::string lost = std::to_string(Refusals::kMaxWaiting);
  std::vector<json> lines = lines_of(refusals);
  REQUIRE(lines.size() == Refusals::kMaxWaiting + 1);
  CHECK(lines.back()["what"] == "lose");
  CHECK(lines.back()["refusals"] == 2);
  refusals.refused(refusal(lost));
  lines = lines_of(refusals);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["uid"] == lost);
}

TEST_CASE("refusals: the log has each line soon, the counts once in a period, and the rest at the end") {
  std::mutex mutex;
  std::vector<json> written;
  const auto write = [&](const AuditLine& line) {
    const std::lock_guard lock(mutex);
    written.push_back(json::parse(line.text()));
  };
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return written.size();
  };
  {
    Refusals refusals;
    const RefusalLog log(refusals, Duration(50), write);
    refusals.refused(refusal("a"));
    REQUIRE(test::soon([&] { return count() == 1; }));
    refusals.refused(refusal("a"));
    REQUIRE(test::soon([&] { return count() == 2; }));
    CHECK(written[1]["repeated"] == 1);
  }
  {
    Refusals refusals;
    const RefusalLog log(refusals, RefusalLog::kPeriod, write);
    refusals.refused(refusal("b"));
    refusals.refused(refusal("b"));
  }
  REQUIRE(written.size() == 4);
  CHECK(written[3]["repeated"] == 1);
}

TEST_CASE("refusals: whoever is refused does not wait for a log that is stuck") {
  Refusals refusals;
  std::atomic<bool> stuck = false;
  std::atomic<bool> go_on = false;
  const RefusalLog log(refusals, RefusalLog::kPeriod, [&](const AuditLine&) {
    stuck = true;
    go_on.wait(false);
  });
  refusals.refused(refusal("a"));
  REQUIRE(test::soon([&] { return stuck.load(); }));
  for (int i = 0; i < 1'000; ++i) refusals.refused(refusal(std::to_string(i)));
  refusals.passed("filter", "a");
  refusals.sweep();
  CHECK_FALSE(go_on);  // all of that came back while the log was stuck
  go_on = true;
  go_on.notify_all();
}

}  // namespace
}  // namespace muster::extender
