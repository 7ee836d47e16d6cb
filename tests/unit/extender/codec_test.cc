#include "extender/codec.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "fixtures.h"

namespace muster::extender {
namespace {

using Catch::Matchers::Contains;
using nlohmann::json;

struct FilterCall : FilterHead, Offer {};

Result<FilterCall> read_filter_call(std::string_view body) {
  auto head = read_filter_head(body);
  if (!head) return tl::unexpected(head.error());
  auto offer = read_offer(*head);
  if (!offer) return tl::unexpected(offer.error());
  return FilterCall{*head, *offer};
}

std::string message(const Result<FilterCall>& call) { return call ? "no error" : call.error().message; }

std::string filter_with(const std::string& pod, const std::string& names = R"(["node-a"])") {
  return R"({"Pod":)" + pod + R"(,"Nodes":null,"NodeNames":)" + names + "}";
}
const std::string kPod = R"({"metadata":{"name":"p","namespace":"n","uid":"u"}})";

TEST_CASE("codec: kube-scheduler's filter call is read") {
  std::string body = sample(kFilter);
  auto call = read_filter_call(body);
  REQUIRE(call);
  CHECK(call->pod.name == "train-0");
  CHECK(call->pod.ns == "ml");
  CHECK(call->pod.uid == "0b5e1f5e-7d0a-4b7e-8a6d-2f1f3c9f5a10");
  CHECK(call->pod.scheduler_name == "muster");
  CHECK(call->pod.group_name == "train");
  CHECK(!call->pod.in_native_group);
  CHECK(call->names.text() == R"("node-a","node-b","node-c")");
  CHECK(json::parse(call->pod_json) == json::parse(body)["Pod"]);
  CHECK(!call->rewritten);
}

TEST_CASE("codec: the plan that the pod carries is read") {
  CHECK(read_filter_call(sample(kFilter))->pod.plan.empty());
  const auto call = read_filter_call(filter_with(
      R"({"metadata":{"name":"p","namespace":"n","uid":"u","annotations":{"muster.dev/plan":"p7.1+"}}})"));
  REQUIRE(call);
  CHECK(call->pod.plan == "p7.1+");
}

TEST_CASE("codec: the pod's own text is never taken for the node names") {
  std::string body = replaced(sample(kFilter), R"("node-a","node-b","node-c")", R"("node-a","node-c")");
  auto call = read_filter_call(body);
  REQUIRE(call);
  CHECK(!call->names.contains("node-b"));
}

TEST_CASE("codec: an empty list of names is a list") {
  std::string body = sample(kFilterNoNames);
  auto call = read_filter_call(body);
  REQUIRE(call);
  CHECK(call->names.size() == 0);
}

TEST_CASE("codec: keys come in any order and form, unknown ones are ignored") {
  std::string body =
      " { \"Extra\" : [ { \"x\" : \"]}\" } ] ,\n\"NodeNames\" : [ \"node-a\" , \"n\\u006fde-b\" "
      "]\r\n,\"Pod\":\t" +
      kPod + " , \"More\":-1.5e3,\"Nodes\":null } \n";
  auto call = read_filter_call(body);
  REQUIRE(call);
  CHECK(call->names.text() == R"("node-a","node-b")");
  CHECK(call->names.size() == 2);
  CHECK(call->pod.name == "p");
  auto moved = *std::move(call);
  CHECK(moved.names.text() == R"("node-a","node-b")");
}

TEST_CASE("codec: a pod of a native group is recognised") {
  std::string in_group = filter_with(
      R"({"metadata":{"name":"p","namespace":"n","uid":"u"},"spec":{"schedulingGroup":{"podGroupName":"g"}}})");
  CHECK(read_filter_call(in_group)->pod.in_native_group);
  std::string null = filter_with(
      R"({"metadata":{"name":"p","namespace":"n","uid":"u","annotations":null},"spec":{"schedulingGroup":null}})");
  CHECK(!read_filter_call(null)->pod.in_native_group);
}

TEST_CASE("codec: a pod's priority is read from its spec, and is 0 when it is missing") {
  const auto priority = [](const std::string& more) {
    return read_filter_call(
               filter_with(R"({"metadata":{"name":"p","namespace":"n","uid":"u"},)" + more + "}"))
        ->pod.priority;
  };
  CHECK(priority(R"("spec":{"priority":1000000000})") == 1'000'000'000);
  CHECK(priority(R"("spec":{"priority":-7})") == -7);
  CHECK(priority(R"("spec":{"priority":2147483647})") == std::numeric_limits<int32_t>::max());
  CHECK(priority(R"("spec":{"priority":-2147483648})") == std::numeric_limits<int32_t>::min());
  CHECK(priority(R"("spec":{"priority":null})") == 0);
  CHECK(priority(R"("spec":{"schedulerName":"muster"})") == 0);
  CHECK(priority(R"("priority":5,"spec":{"overhead":{"priority":6},"tolerations":[{"priority":7}]})") == 0);
}

TEST_CASE("codec: only the pod's own fields count, not those of the same name elsewhere") {
  std::string body = filter_with(
      R"({"spec":{"containers":[{"name":"c","metadata":{"name":"wrong"}}],"template":{"metadata":{"uid":"wrong",
          "annotations":{"muster.dev/group-name":"wrong"}}}},"name":"wrong",
          "metadata":{"labels":{"name":"wrong"},"ownerReferences":[{"uid":"wrong"}],
          "name":"p","namespace":"n","uid":"u"}})");
  auto call = read_filter_call(body);
  REQUIRE(call);
  CHECK(call->pod.name == "p");
  CHECK(call->pod.uid == "u");
  CHECK(call->pod.group_name.empty());
}

TEST_CASE("codec: the first annotation of Muster's is kept, whatever its name") {
  const auto key_in = [](const std::string& annotations) {
    std::string body = filter_with(
        R"({"metadata":{"name":"p","namespace":"n","uid":"u","labels":{"muster.dev/label":"x"},"annotations":)" +
        annotations + "}}");
    auto call = read_filter_call(body);
    return call ? call->pod.muster_key : call.error().message;
  };
  CHECK(key_in(R"({"a":"b","muster.dev/groupname":"g","muster.dev/min-member":"2"})") ==
        "muster.dev/groupname");
  CHECK(key_in(R"({"a":"b","not.muster.dev/x":"y"})").empty());
  CHECK(key_in("null").empty());
}

TEST_CASE("codec: a filter call that cannot be used is refused with field and value") {
  struct Case {
    std::string body;
    const char* message;
  };
  std::vector<Case> cases = {
      {"", "filter: not JSON: it ends at byte 0 where { is expected"},
      {"hello", "filter: not JSON: \"hello\" at byte 0 where { is expected"},
      {"[]", "where { is expected"},
      {"{", "where a key is expected"},
      {"{\"Pod\"", "where : is expected"},
      {"{\"Pod\":", "where a value is expected"},
      {"{\"Pod\":{\"metadata\":{", "it ends at byte 20 where } is expected"},
      {"{\"Pod", "it ends at byte 5"},
      {"{\"NodeNames\":", "where a value is expected"},
      {filter_with(kPod) + "x", "\"x\" at byte"},
      {filter_with(kPod).substr(0, filter_with(kPod).size() - 1), "where , or } is expected"},
      {"{}", "filter: Pod is missing"},
      {R"({"Pod":null,"NodeNames":[]})", "Pod is missing"},
      {R"({"Pod":)" + kPod + "}", "NodeNames is missing"},
      {filter_with(kPod, "null"), "NodeNames is missing"},
      {filter_with(kPod, "5"), "NodeNames is \"5\", not a list of names"},
      {filter_with(kPod, R"({"a":1})"), "not a list of names"},
      {filter_with(kPod, R"(["a",7])"), "NodeNames[1] is \"7\", not a string"},
      {filter_with(kPod, R"(["a",{"b":null}])"), "NodeNames[1] is"},
      {filter_with(kPod, R"(["a\nb"])"), R"(NodeNames[0] is "a\nb", which names no node)"},
      {filter_with(kPod, R"(["a" "b"])"), "NodeNames is not JSON"},
      {filter_with(kPod, R"(["a")"), "where ] is expected"},
      {filter_with("7"), "Pod is 7, not an object"},
      {filter_with("[]"), "Pod is a list, not an object"},
      {filter_with("\"x\""), "Pod is \"x\", not an object"},
      {filter_with("{}"), "Pod.metadata.name is missing"},
      {filter_with(R"({"metadata":3})"), "Pod.metadata is 3, not an object"},
      {filter_with(R"({"metadata":{"name":3}})"), "Pod.metadata.name is 3, not a string"},
      {filter_with(R"({"metadata":{"name":["x"]}})"), "Pod.metadata.name is a list, not a string"},
      {filter_with(R"({"metadata":{"uid":{}}})"), "Pod.metadata.uid is an object, not a string"},
      {filter_with(R"({"metadata":{"name":"p"}})"), "Pod.metadata.namespace is missing"},
      {filter_with(R"({"metadata":{"name":"p","namespace":"n"}})"), "Pod.metadata.uid is missing"},
      {filter_with(R"({"metadata":{"annotations":{"muster.dev/group-name":true}}})"),
       "Pod.metadata.annotations.muster.dev/group-name is true, not a string"},
      {filter_with(R"({"metadata":{"annotations":"x"}})"),
       "Pod.metadata.annotations is \"x\", not an object"},
      {filter_with(R"({"spec":{"schedulerName":1}})"), "Pod.spec.schedulerName is 1, not a string"},
      {filter_with(R"({"spec":{"priority":2147483648}})"),
       "Pod.spec.priority is 2147483648, not a whole number of 32 bits"},
      {filter_with(R"({"spec":{"priority":18446744073709551615}})"), "not a whole number of 32 bits"},
      {filter_with(R"({"spec":{"priority":1.5}})"), "Pod.spec.priority is 1.5, not a whole number"},
      {filter_with(R"({"spec":{"priority":"high"}})"), "Pod.spec.priority is \"high\", not a whole number"},
      {filter_with(R"({"spec":{"priority":[7]}})"), "Pod.spec.priority is a list, not a whole number"},
      {filter_with(R"({"spec":{"priority":{}}})"), "Pod.spec.priority is an object, not a whole number"},
      {filter_with(R"({"spec":{"schedulingGroup":1}})"), "Pod.spec.schedulingGroup is 1, not an object"},
      {filter_with(R"({"metadata" 1})"), "Pod is not JSON"},
      {filter_with(R"({"metadata":{]})"), "where } is expected"},
      {filter_with(std::string(200, '[') + std::string(200, ']')), "nested deeper than 100 levels"},
      {std::string(1'000'000, '['), "where { is expected"},
      {filter_with(std::string(1'000'000, '{')), "nested deeper than 100 levels"},
      {sample(kFilterNodes), "nodeCacheCapable: true"},
  };
  for (const Case& one : cases) {
    INFO(one.body.substr(0, 300));
    auto call = read_filter_call(one.body);
    CHECK_THAT(message(call), Contains(one.message));
    if (!call) CHECK(call.error().code == ErrorCode::kInvalid);
  }
}

TEST_CASE("codec: text cut anywhere is an error and nothing worse") {
  std::string whole = sample(kFilter);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string cut = whole.substr(0, size);  // a buffer of its own, so that reading beyond it is seen
    REQUIRE(!read_filter_call(cut));
  }
  std::string preempt = sample(kPreempt);
  for (std::size_t size = 0; size < preempt.size(); ++size)
    REQUIRE(!read_preempt_call(preempt.substr(0, size)));
}

TEST_CASE("codec: a pod with invalid UTF-8 is refused") {
  std::string body = filter_with("{\"metadata\":{\"name\":\"p\xff\",\"namespace\":\"n\",\"uid\":\"u\"}}");
  CHECK_THAT(message(read_filter_call(body)), Contains("Pod is not JSON"));
}

TEST_CASE("codec: bind's call is read, and refused with field and value") {
  auto call = read_bind_call(sample(kBind));
  REQUIRE(call);
  CHECK(call->name == "train-0");
  CHECK(call->ns == "ml");
  CHECK(call->uid == "0b5e");
  CHECK(call->node == "node-a");
  auto refused = [](const char* body) { return read_bind_call(body).error().message; };
  CHECK(refused("{}") == "bind: PodName is missing");
  CHECK(refused(R"({"PodName":"a","PodNamespace":"b","PodUID":""})") == "bind: PodUID is missing");
  CHECK(refused(R"({"PodName":"a","PodNamespace":"b","PodUID":"c"})") == "bind: Node is missing");
  CHECK(refused(R"({"PodName":7})") == "bind: PodName is \"7\", not a string");
  CHECK(refused(R"({"Node":null})") == "bind: Node is \"null\", not a string");
  CHECK_THAT(refused("\"PodName\""), Contains("where { is expected"));
}

TEST_CASE("codec: preempt's call is read with the victims' uids and their text") {
  std::string body = sample(kPreempt);
  auto call = read_preempt_call(body);
  REQUIRE(call);
  CHECK(call->pod.name == "train-0");
  REQUIRE(call->candidates.size() == 2);
  CHECK(call->candidates[0].node == "node-a");
  CHECK(call->candidates[0].victim_uids == std::vector<std::string>{"u1", "u2"});
  CHECK(call->candidates[0].victims_json == R"({"Pods":[{"UID":"u1"},{"UID":"u2"}],"NumPDBViolations":1})");
  CHECK(call->candidates[1].victim_uids.empty());
  auto refused = [](const std::string& meta) {
    return read_preempt_call(R"({"Pod":)" + kPod + R"(,"NodeNameToMetaVictims":)" + meta + "}")
        .error()
        .message;
  };
  CHECK(refused("null") == "preempt: NodeNameToMetaVictims is missing");
  CHECK(refused("[]") == "preempt: NodeNameToMetaVictims is \"[]\", not an object");
  CHECK(refused(R"({"n":5})") == "preempt: NodeNameToMetaVictims[n] is \"5\", not an object");
  CHECK(refused(R"({"n":{"Pods":5}})") == "preempt: NodeNameToMetaVictims[n].Pods is \"5\", not a list");
  CHECK_THAT(refused(R"({"n":{"Pods":[{"UID":"a"},{"UID":1}]}})"),
             Contains("NodeNameToMetaVictims[n].Pods[1] is"));
  CHECK_THAT(refused(R"({"n":{"Pods":[null]}})"), Contains("NodeNameToMetaVictims[n].Pods[0] is"));
  CHECK_THAT(read_preempt_call(sample(kPreemptWholePods)).error().message,
             Contains("nodeCacheCapable: true"));
}

}  // namespace
}  // namespace muster::extender
