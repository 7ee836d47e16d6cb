#include "engine/audit.h"

#include <catch2/catch.hpp>

namespace muster::engine {
namespace {

const group::PodId kPod{"team", "train-0", "u1"};

TEST_CASE("audit: a binding names who, what, why, the plan and how it ended") {
  const group::Bind bind{kPod, "host-1", "p-7", {}, {}};
  CHECK(audit_of(bind, {}) ==
        R"({"what":"bind","who":"muster","pod":"team/train-0","uid":"u1","node":"host-1","plan":"p-7",)"
        R"("why":"every member of the plan may be bound","result":"ok"})");
  CHECK(audit_of(bind, fail(ErrorCode::kConflict, "bind pod: 409 \"taken\""))
            .find(R"("result":"conflict","error":"bind pod: 409 \"taken\""})") != std::string::npos);
}

TEST_CASE("audit: a binding that is passed on for kube-scheduler says so") {
  const group::Bind bind{kPod, "host-1", "", {}, {}};
  CHECK(audit_of(bind, {}).find(R"("who":"kube-scheduler")") != std::string::npos);
}

TEST_CASE("audit: a refusal has its reason, what is no decision has no line") {
  CHECK(
      audit_of(group::Tell{kPod, "NoRoom", "rack r1 holds 1 of 4", true}, {}) ==
      R"({"what":"refuse","who":"muster","pod":"team/train-0","uid":"u1","why":"NoRoom: rack r1 holds 1 of 4"})");
  CHECK(audit_of(group::Tell{kPod, "Planned", "fine", false}, {}).empty());
  CHECK(audit_of(group::Withdraw{kPod}, {}).empty());
  const Error error{ErrorCode::kUnavailable, "muster: shutting down"};
  CHECK(audit_of(extender::BindCall{"team", "train-0", "u1", "host-1"}, error).find("shutting down") !=
        std::string::npos);
}

TEST_CASE("audit: no name or message makes a line or a field of its own") {
  const group::PodId pod{"team", "a\",\"what\":\"evict", "u\n2026 info audit {}"};
  const std::string line = audit_of(group::Tell{pod, "NoRoom", "x\"}\n{", true}, {});
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find(R"(\",\"what\":\"evict)") != std::string::npos);
}

}  // namespace
}  // namespace muster::engine
