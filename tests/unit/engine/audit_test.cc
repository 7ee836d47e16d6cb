#include "engine/audit.h"

#include <catch2/catch.hpp>

namespace muster::engine {
namespace {

const group::PodId kPod{"team", "train-0", "u1"};

TEST_CASE("audit: a binding names who, what, why, the plan and how it ended") {
  const group::Bind bind{kPod, "host-1", "p-7", {}, {}};
  CHECK(audit_of(bind, {})->text() ==
        R"({"what":"bind","who":"muster","pod":"team/train-0","uid":"u1","node":"host-1","plan":"p-7",)"
        R"("why":"every member of the plan may be bound","result":"ok"})");
  CHECK(audit_of(bind, fail(ErrorCode::kConflict, "bind pod: 409 \"taken\""))
            ->text()
            .find(R"("result":"conflict","error":"bind pod: 409 \"taken\""})") != std::string::npos);
}

TEST_CASE("audit: a binding that is passed on bears the name of who asked for it") {
  const group::Bind bind{kPod, "host-1", "", {}, {}, "", "CN=system:kube-scheduler"};
  CHECK(audit_of(bind, {})->text() ==
        R"({"what":"bind","who":"CN=system:kube-scheduler","pod":"team/train-0","uid":"u1","node":"host-1",)"
        R"("why":"pod of no group","result":"ok"})");
}

TEST_CASE("audit: an eviction names the plan that had bound the pod, and why it has to go") {
  const group::Evict evict{kPod, true,  false,
                           {},   "p-7", "its group is restarted as a whole: pod b has failed"};
  CHECK(
      audit_of(evict, fail(ErrorCode::kThrottled, "budget"))->text() ==
      R"({"what":"evict","who":"muster","pod":"team/train-0","uid":"u1","plan":"p-7",)"
      R"("why":"its group is restarted as a whole: pod b has failed","result":"throttled","error":"budget"})");
}

TEST_CASE("audit: a refused bind call names the caller and the plan that it was to be part of") {
  const extender::BindCall call{"team", "train-0", "u1", "host-1", "127.0.0.1"};
  CHECK(audit_of(call, "p-7", Error{ErrorCode::kUnavailable, "muster: shutting down"}).text() ==
        R"({"what":"refuse","who":"127.0.0.1","pod":"team/train-0","uid":"u1","verb":"bind","node":"host-1",)"
        R"("plan":"p-7","why":"muster: shutting down","result":"unavailable"})");
}

TEST_CASE("audit: what keeps a group waiting has its reason, what is no decision has no line") {
  CHECK(
      audit_of(group::Tell{kPod, group::EventReason::kNoRoom, "rack r1 holds 1 of 4", true}).text() ==
      R"({"what":"refuse","who":"muster","pod":"team/train-0","uid":"u1","why":"NoRoom: rack r1 holds 1 of 4"})");
  CHECK(audit_of(group::Tell{kPod, group::EventReason::kBindFailed, "x", true, "p-7"})
            .text()
            .find(R"("plan":"p-7")") != std::string::npos);
  CHECK(!audit_of(group::Withdraw{kPod}, {}));
}

TEST_CASE("audit: no name or message makes a line or a field of its own") {
  const group::PodId pod{"team", "a\",\"what\":\"evict", "u\n2026 info audit {}"};
  const std::string line = audit_of(group::Tell{pod, group::EventReason::kNoRoom, "x\"}\n{", true}).text();
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find(R"(\",\"what\":\"evict)") != std::string::npos);
}

}  // namespace
}  // namespace muster::engine
