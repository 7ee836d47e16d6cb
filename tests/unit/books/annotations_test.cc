// From annotations to a group's request; every bad input names its field and value (promise 5).
#include "books/annotations.h"

#include <catch2/catch.hpp>

#include "support/kube_objects.h"

using namespace muster;
using namespace muster::books;
using muster::test::make_member;

namespace {

kube::StringMap annotations(kube::StringMap more = {}) {
  kube::StringMap all{{"muster.dev/group-name", "g"}, {"muster.dev/min-member", "4"}};
  for (auto& [key, value] : more) all[key] = value;
  return all;
}

group::Member read_member(const kube::Pod& pod) {
  return member_of(kube::Pod(pod), parse_spec(pod.annotations));
}

std::string error_of(const kube::StringMap& map) {
  const Result<group::GroupSpec> spec = parse_spec(map);
  REQUIRE_FALSE(spec);
  CHECK(spec.error().code == ErrorCode::kInvalid);
  return spec.error().message;
}

std::string error_with(const std::string& key, const std::string& value) {
  return error_of(annotations({{"muster.dev/" + key, value}}));
}

}  // namespace

TEST_CASE("Two annotations are enough") {
  const auto spec = parse_spec(annotations());
  REQUIRE(spec);
  CHECK(spec->min_member == 4);
  CHECK(spec->topology_required.empty());
  CHECK_FALSE(spec->hold_timeout);
}

TEST_CASE("All short keys are read") {
  const auto spec = parse_spec(annotations({{"muster.dev/topology-required", "rack"},
                                            {"muster.dev/topology-preferred", "fabric/block"},
                                            {"muster.dev/hold-timeout", "1h30m"},
                                            {"muster.dev/slices", "16@block,4@rack"},
                                            {"muster.dev/rank", "7"}}));
  REQUIRE(spec);
  CHECK(spec->topology_required == "rack");
  CHECK(spec->topology_preferred == "fabric/block");
  CHECK(spec->hold_timeout == Duration(5'400'000));
  CHECK(spec->slices == std::vector<group::SliceSpec>{{16, "block"}, {4, "rack"}});
}

TEST_CASE("Annotations of others do not matter") {
  CHECK(parse_spec(annotations({{"example.com/min-member", "x"}, {"muster.devel/foo", "y"}})));
}

TEST_CASE("A minimum that is no whole number of at least 1 is refused with its value") {
  const std::string words = " is not a whole number from 1 to 100000";
  CHECK(error_with("min-member", "0") == "muster.dev/min-member: \"0\"" + words);
  CHECK(error_with("min-member", "four") == "muster.dev/min-member: \"four\"" + words);
  CHECK(error_with("min-member", "") == "muster.dev/min-member: \"\"" + words);
  CHECK(error_with("min-member", "-1") == "muster.dev/min-member: \"-1\"" + words);
  CHECK(error_with("min-member", "+4") == "muster.dev/min-member: \"+4\"" + words);
  CHECK(error_with("min-member", " 4") == "muster.dev/min-member: \" 4\"" + words);
  CHECK(error_with("min-member", "4.0") == "muster.dev/min-member: \"4.0\"" + words);
  CHECK(error_with("min-member", "100001") == "muster.dev/min-member: \"100001\"" + words);
  CHECK(error_with("min-member", "99999999999999999999") ==
        "muster.dev/min-member: \"99999999999999999999\"" + words);
  CHECK(parse_spec(annotations({{"muster.dev/min-member", "100000"}})));
}

TEST_CASE("A missing minimum is said to be missing") {
  CHECK(error_of({{"muster.dev/group-name", "g"}}) ==
        "muster.dev/min-member: missing; it has to be a whole number of at least 1");
}

TEST_CASE("An unknown annotation of ours is refused with the nearest known one") {
  CHECK(error_with("topology-require", "rack") ==
        "muster.dev/topology-require: unknown annotation; the nearest known one is "
        "muster.dev/topology-required");
  CHECK(error_with("min-members", "4") ==
        "muster.dev/min-members: unknown annotation; the nearest known one is muster.dev/min-member");
}

TEST_CASE("The hold gate's name as an annotation would do nothing, so it is refused") {
  CHECK(error_with("hold", "true").starts_with("muster.dev/hold: unknown annotation"));
}

TEST_CASE("A group's name that is no DNS label is refused") {
  const std::string words = " is not a DNS label (lower case letters, digits and '-', at most 63)";
  for (const std::string bad : {"", "Train", "a_b", "-a", "a-", "a.b", "ü"}) {
    INFO(bad);
    CHECK(error_with("group-name", bad).find(words) != std::string::npos);
  }
  CHECK(error_with("group-name", std::string(64, 'a')).find(words) != std::string::npos);
  CHECK(parse_spec(annotations({{"muster.dev/group-name", std::string(63, 'a')}})));
  CHECK(parse_spec(annotations({{"muster.dev/group-name", "0-a"}})));
}

TEST_CASE("What a loss does to a group is spelled out, or refused with its value") {
  CHECK(error_with("failure-policy", "restart") ==
        "muster.dev/failure-policy: \"restart\" is none of Repair, Restart, Ignore");
  CHECK(error_with("failure-grace", "1").find("muster.dev/failure-grace: \"1\" is not a duration") == 0);
  CHECK(error_with("failure-grace", "25h") == "muster.dev/failure-grace: \"25h\" is longer than 24h");
  CHECK(error_with("disruption-budgets", "") ==
        "muster.dev/disruption-budgets: \"\" is none of Obey, Ignore");
  const auto spec = parse_spec(annotations({{"muster.dev/failure-policy", "Restart"},
                                            {"muster.dev/failure-grace", "0s"},
                                            {"muster.dev/disruption-budgets", "Ignore"}}));
  REQUIRE(spec);
  CHECK(spec->failure_policy == group::FailurePolicy::kRestart);
  CHECK(spec->failure_grace == Duration(0));
  CHECK_FALSE(spec->obey_budgets);
  CHECK(parse_spec(annotations({}))->failure_policy == group::FailurePolicy::kRepair);
}

TEST_CASE("A hold timeout that is no duration, or out of range, is refused with its value") {
  CHECK(error_with("hold-timeout", "soon").find("muster.dev/hold-timeout: \"soon\" is not a duration") == 0);
  CHECK(error_with("hold-timeout", "45").find("muster.dev/hold-timeout: \"45\" is not a duration") == 0);
  CHECK(error_with("hold-timeout", "-5s").find("muster.dev/hold-timeout: \"-5s\" is not a duration") == 0);
  CHECK(error_with("hold-timeout", "999ms") ==
        "muster.dev/hold-timeout: \"999ms\" is not between 1s and 24h");
  CHECK(error_with("hold-timeout", "25h") == "muster.dev/hold-timeout: \"25h\" is not between 1s and 24h");
  CHECK(error_with("hold-timeout", "0s") == "muster.dev/hold-timeout: \"0s\" is not between 1s and 24h");
  CHECK(parse_spec(annotations({{"muster.dev/hold-timeout", "24h"}})));
}

TEST_CASE("A rank that is no whole number is refused") {
  CHECK(error_with("rank", "first") ==
        "muster.dev/rank: \"first\" is not a whole number from 0 to 2147483647");
  CHECK(error_with("rank", "-1").starts_with("muster.dev/rank: \"-1\""));
}

TEST_CASE("An empty level is refused") {
  CHECK(error_with("topology-required", "") == "muster.dev/topology-required: \"\" is not a level");
  CHECK(error_with("topology-preferred", "") == "muster.dev/topology-preferred: \"\" is not a level");
}

TEST_CASE("Slices that are not SIZE@LEVEL are refused") {
  for (const std::string bad :
       {"", "16", "@rack", "16@", "0@rack", "x@rack", "4@rack,", ",4@rack", "-4@rack"}) {
    INFO(bad);
    CHECK(error_with("slices", bad).starts_with("muster.dev/slices: "));
  }
}

TEST_CASE("Hostile values are quoted and cut") {
  const std::string message = error_with("min-member", "4\nERROR all is lost\x01" + std::string(500, 'x'));
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.size() < 250);
}

TEST_CASE("A member is a pod with a group's name and one of our schedulers") {
  kube::Pod pod = make_member("a", "train", 4);
  REQUIRE(group_of(pod, {"default", "muster"}));
  CHECK(group_of(pod, {"default", "muster"})->text() == "ns/train");
  CHECK_FALSE(group_of(pod, {"default"}));
  pod.in_native_group = true;
  CHECK_FALSE(group_of(pod, {"muster"}));
  pod.in_native_group = false;
  pod.annotations["muster.dev/group-name"] = "";
  CHECK(group_of(pod, {"muster"}));  // a wrong name is wrong, not absent
  pod.annotations.clear();
  CHECK_FALSE(group_of(pod, {"muster"}));
}

TEST_CASE("A member carries what the pod says") {
  kube::Pod pod = make_member("a", "train", 4);
  pod.scheduling_gates = {"muster.dev/hold", "example.com/quota"};
  pod.annotations["muster.dev/plan"] = "p1.2+";
  pod.annotations["muster.dev/subgroup"] = "prefill";
  pod.nominated_node = "n1";
  pod.controller = kube::OwnerReference{"Job", "train", "job-uid"};
  pod.priority = 7;
  pod.creation_seconds = 99;
  const group::Member member = read_member(pod);
  CHECK(member.pod == group::PodId{"ns", "a", "uid-a"});
  CHECK(member.held_by_gate);
  CHECK(member.other_gates);
  CHECK_FALSE(member.available());
  CHECK(member.plan == "p1.2+");
  CHECK(member.subgroup == "prefill");
  CHECK(member.nominated_node == "n1");
  CHECK(member.controller == "train");
  CHECK(member.controller_uid == "job-uid");
  CHECK(member.priority == 7);
  CHECK(member.creation_seconds == 99);
  CHECK(member.demand.get("nvidia.com/gpu") == 8);
}

TEST_CASE("A member carries what its failure domain goes by: marks, restarts and readiness") {
  kube::Pod pod = muster::test::bound_to(make_member("a", "train", 4), "n1");
  const group::Member plain = read_member(pod);
  CHECK(plain.mark.empty());
  CHECK(plain.restarts == 0);
  CHECK_FALSE(plain.containers_ready);
  CHECK_FALSE(plain.readiness_gate);
  CHECK_FALSE(plain.shown_ready);

  pod.annotations["muster.dev/let-go"] = "unwind";
  pod.annotations["muster.dev/restarts"] = "3";
  pod.readiness_gates = {"example.com/fabric", "muster.dev/group-ready"};
  pod.containers_ready = true;
  pod.group_ready = false;
  pod.phase = kube::PodPhase::kRunning;
  const group::Member member = read_member(pod);
  CHECK(member.node == "n1");
  CHECK(member.mark == "unwind");
  CHECK(member.restarts == 3);
  CHECK(member.containers_ready);
  CHECK(member.readiness_gate);
  CHECK(member.shown_ready == false);

  pod.phase = kube::PodPhase::kUnknown;  // its kubelet is not heard of, whatever it said last
  CHECK_FALSE(read_member(pod).containers_ready);
  for (const char* count : {"-1", "1000001", "many", ""}) {
    CAPTURE(count);
    pod.annotations["muster.dev/restarts"] = count;
    CHECK(read_member(pod).restarts == 0);
  }
}

TEST_CASE("The index comes from Muster's key, then the Job's, then the StatefulSet's") {
  kube::Pod pod = make_member("a", "train", 4);
  CHECK_FALSE(read_member(pod).index);
  pod.labels["apps.kubernetes.io/pod-index"] = "3";
  CHECK(read_member(pod).index == 3);
  pod.labels["batch.kubernetes.io/job-completion-index"] = "2";
  CHECK(read_member(pod).index == 2);
  pod.annotations["muster.dev/rank"] = "1";
  CHECK(read_member(pod).index == 1);
  pod.annotations["muster.dev/rank"] = "x";
  CHECK_FALSE(read_member(pod).index);
}

TEST_CASE("Phases and deletion decide whether a member is live") {
  kube::Pod pod = muster::test::bound_to(make_member("a", "train", 4), "n1");
  CHECK(read_member(pod).live());
  pod.terminating = true;
  CHECK_FALSE(read_member(pod).live());
  pod.terminating = false;
  pod.phase = kube::PodPhase::kSucceeded;
  CHECK(read_member(pod).succeeded);
  CHECK_FALSE(read_member(pod).live());
  pod.phase = kube::PodPhase::kFailed;
  CHECK(read_member(pod).failed);
}

TEST_CASE("A request is not taken for the one that was read before it") {
  SpecReader reader;
  CHECK_FALSE(reader.read({}));
  CHECK(reader.read(annotations())->min_member == 4);
  CHECK(reader.read(annotations({{"muster.dev/min-member", "5"}}))->min_member == 5);
  CHECK(reader.read(annotations({{"muster.dev/topology-required", "rack"}}))->topology_required == "rack");
  CHECK(reader.read(annotations())->topology_required.empty());
  CHECK_FALSE(reader.read(annotations({{"muster.dev/colour", "red"}})));
  CHECK_FALSE(reader.read(annotations({{"muster.dev/colour", "red"}, {"muster.dev/plan", "p1"}})));
  CHECK(reader.read(annotations({{"muster.dev/plan", "p1"}})));
}

TEST_CASE("What is a member's own is looked at although the request has been read before") {
  SpecReader reader;
  const auto own = [&](const std::string& key, const std::string& value) {
    const char* spec = R"({"subgroups": {"a": {"minMember": 1}}})";
    return reader.read(annotations({{"muster.dev/group-spec", spec}, {"muster.dev/" + key, value}}));
  };
  REQUIRE(own("subgroup", "a"));
  CHECK(own("subgroup", "b").error().message ==
        "muster.dev/subgroup: \"b\" is not among the subgroups of muster.dev/group-spec");
  CHECK(own("rank", "7"));
  CHECK(own("rank", "first").error().message ==
        "muster.dev/rank: \"first\" is not a whole number from 0 to 2147483647");
}
