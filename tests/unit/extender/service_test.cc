#include "extender/service.h"

#include <array>
#include <nlohmann/json.hpp>

#include "extender/routes.h"
#include "fixtures.h"

namespace muster::extender {
namespace {

using nlohmann::json;

const json kNoMap = json::object();
constexpr std::string_view kCaller = "CN=system:kube-scheduler";

json filtered(FakeDecisions& decisions, const std::string& body) {
  Answer answer = Service(decisions, decisions.refusals).filter(body, kCaller);
  CHECK(answer.status == 200);
  json out = json::parse(answer.reply.text());
  CHECK(out.size() == 5);
  CHECK(out["Nodes"].is_null());
  CHECK(out["FailedNodes"] == kNoMap);
  CHECK(out["Error"] == "");
  return out;
}

Promises promised(std::initializer_list<std::pair<const char*, int64_t>> gpus) {
  Promises out;
  for (const auto& [node, count] : gpus) {
    ResourceList& rest = out[node];
    rest.set("cpu", 64000);
    rest.set("memory", int64_t{1} << 40);
    rest.set("pods", 100);
    rest.set("nvidia.com/gpu", count);
  }
  return out;
}

TEST_CASE("filter: a pod of no group gets all nodes back") {
  FakeDecisions decisions;
  json reply = filtered(decisions, sample(kFilter));
  CHECK(reply["NodeNames"] == json({"node-a", "node-b", "node-c"}));
  CHECK(reply["FailedAndUnresolvableNodes"] == kNoMap);
  CHECK(decisions.seen.at(0).name == "train-0");
}

TEST_CASE("filter: a pod of no group is refused only nodes whose promised room leaves too little") {
  FakeDecisions decisions;
  decisions.decision =
      Foreign{std::make_shared<Promises>(promised({{"node-a", 8}, {"node-b", 7}, {"elsewhere", 0}}))};
  json reply = filtered(decisions, sample(kFilter));
  CHECK(reply["NodeNames"] == json({"node-a", "node-c"}));
  CHECK(reply["FailedAndUnresolvableNodes"] ==
        json{{"node-b", "muster: the free room is promised to a group"}});
}

TEST_CASE("filter: enough room everywhere gives all nodes back, none gives none") {
  FakeDecisions decisions;
  decisions.decision = Foreign{std::make_shared<Promises>(promised({{"node-a", 8}, {"node-c", 9}}))};
  CHECK(filtered(decisions, sample(kFilter))["NodeNames"].size() == 3);
  decisions.decision =
      Foreign{std::make_shared<Promises>(promised({{"node-a", 0}, {"node-b", 0}, {"node-c", 0}}))};
  json none = filtered(decisions, sample(kFilter));
  CHECK(none["NodeNames"] == json::array());
  CHECK(none["FailedAndUnresolvableNodes"].size() == 3);
}

TEST_CASE("filter: the pod count is room too") {
  FakeDecisions decisions;
  Promises promises = promised({{"node-a", 8}});
  promises["node-a"].set("pods", 0);
  decisions.decision = Foreign{std::make_shared<Promises>(promises)};
  CHECK(filtered(decisions, sample(kFilter))["NodeNames"] == json({"node-b", "node-c"}));
}

TEST_CASE("filter: a malformed quantity of a pod of no group is 400 and names the value") {
  FakeDecisions decisions;
  decisions.decision = Foreign{std::make_shared<Promises>(promised({{"node-a", 8}}))};
  Answer answer =
      Service(decisions, decisions.refusals).filter(replaced(sample(kFilter), "500m", "500x"), kCaller);
  CHECK(answer.status == 400);
  CHECK_THAT(answer.reply.text(), Catch::Matchers::Contains("500x"));
}

TEST_CASE("filter: a planned member gets its node and no other") {
  FakeDecisions decisions;
  decisions.decision = Planned{"node-b"};
  json reply = filtered(decisions, sample(kFilter));
  CHECK(reply["NodeNames"] == json({"node-b"}));
  CHECK(reply["FailedAndUnresolvableNodes"] == kNoMap);
  CHECK(decisions.refused.empty());
}

TEST_CASE("filter: a planned node that is not offered is reported, and no other is given") {
  FakeDecisions decisions;
  decisions.decision = Planned{"node-b"};
  json reply = filtered(decisions, replaced(sample(kFilter), R"("node-b","node-c"])", R"("node-c"])"));
  CHECK(reply["NodeNames"] == json::array());
  CHECK(reply["FailedAndUnresolvableNodes"].size() == 2);
  std::vector<std::pair<std::string, std::string>> expected = {
      {"0b5e1f5e-7d0a-4b7e-8a6d-2f1f3c9f5a10", "node-b"}};
  CHECK(decisions.refused == expected);
}

TEST_CASE("filter: who does not know of the plan yet may not offer its node, and refuses nothing by that") {
  FakeDecisions decisions;
  decisions.decision = Planned{"node-b", "p-7", false};
  CHECK(filtered(decisions, sample(kFilter))["NodeNames"] == json({"node-b"}));
  json reply = filtered(decisions, replaced(sample(kFilter), R"("node-b","node-c"])", R"("node-c"])"));
  CHECK(reply["NodeNames"] == json::array());
  const std::string why = "muster: node-b is planned for this pod, and kube-scheduler is being told";
  CHECK(reply["FailedAndUnresolvableNodes"] == json{{"node-a", why}, {"node-c", why}});
  CHECK(decisions.refused.empty());
}

TEST_CASE("filter: a held member is refused every node for good, with the reason") {
  FakeDecisions decisions;
  std::string reason = "muster: \"2 of 4\" members\n\t\x01 größer \xff";
  decisions.decision = Held{reason};
  json reply = filtered(decisions, sample(kFilter));
  CHECK(reply["NodeNames"] == json::array());
  std::string shown = "muster: \"2 of 4\" members\n\t\x01 größer \xef\xbf\xbd";
  CHECK(reply["FailedAndUnresolvableNodes"] == json{{"node-a", shown}, {"node-b", shown}, {"node-c", shown}});
}

TEST_CASE("filter: an empty offer is answered with an empty list in every case") {
  FakeDecisions decisions;
  for (FilterDecision decision :
       {FilterDecision(Foreign{std::make_shared<Promises>(promised({{"node-a", 0}}))}),
        FilterDecision(Planned{"node-b"}), FilterDecision(Held{"wait"})}) {
    decisions.decision = decision;
    CHECK(filtered(decisions, sample(kFilterNoNames))["NodeNames"] == json::array());
  }
}

TEST_CASE("filter: names in another form are answered like plain ones") {
  FakeDecisions decisions;
  std::string body =
      replaced(sample(kFilter), R"(["node-a","node-b","node-c"])", R"([ "node-a", "node\u002db" ])");
  CHECK(filtered(decisions, body)["NodeNames"] == json({"node-a", "node-b"}));
  decisions.decision = Planned{"node-b"};
  CHECK(filtered(decisions, body)["NodeNames"] == json({"node-b"}));
}

TEST_CASE("filter: all the names go back as parts of the call, not as a copy") {
  FakeDecisions decisions;
  std::string body = sample(kFilter);
  Answer answer = Service(decisions, decisions.refusals).filter(body, kCaller);
  REQUIRE(answer.reply.pieces.size() == 2);
  std::string_view names = answer.reply.pieces[1];
  CHECK(names == R"("node-a","node-b","node-c")");
  CHECK(names.data() > body.data());
  CHECK(names.data() + names.size() < body.data() + body.size());
}

TEST_CASE("filter: keys behind the names, and names before the pod, change nothing") {
  FakeDecisions decisions;
  const std::string pod = R"({"metadata":{"name":"p","namespace":"n","uid":"u"}})";
  for (const std::string& body :
       {R"({"Pod":)" + pod + R"(,"NodeNames":["node-a","node-b"],"More":["node-c"]})",
        R"({"NodeNames":["node-a","node-b"],"Pod":)" + pod + R"(,"More":[]})",
        R"({"P\u006fd":)" + pod + R"(,"Node\u004eames":["node-a","node-b"]} )",
        R"({"Pod":)" + pod + R"(,"NodeNames":["node-c"],"NodeNames":["node-a","node-b"]})"}) {
    INFO(body);
    decisions.decision = Foreign{std::make_shared<Promises>()};
    CHECK(filtered(decisions, body)["NodeNames"] == json({"node-a", "node-b"}));
    decisions.decision = Planned{"node-b"};
    CHECK(filtered(decisions, body)["NodeNames"] == json({"node-b"}));
    decisions.decision = Planned{"node-c"};
    CHECK(filtered(decisions, body)["NodeNames"] == json::array());
  }
  for (const char* rest : {R"(["node-a"],"More":[]]})", R"(["node-a"],"More":[})", R"(["node-b"]]})",
                           R"([]]})", R"(["node-b",]})"}) {
    INFO(rest);
    decisions.decision = Planned{"node-b"};
    CHECK(Service(decisions, decisions.refusals)
              .filter(R"({"Pod":)" + pod + R"(,"NodeNames":)" + rest, kCaller)
              .status == 400);
  }
}

TEST_CASE("filter: a call that cannot be understood is 400 with the reason as Error") {
  FakeDecisions decisions;
  Answer answer = Service(decisions, decisions.refusals).filter("{\"Pod\":7}", kCaller);
  CHECK(answer.status == 400);
  CHECK(json::parse(answer.reply.text()) == json{{"Error", "filter: NodeNames is missing"}});
  CHECK(decisions.seen.empty());
}

TEST_CASE("bind: success is an empty Error, failure is 200 with the text for users") {
  FakeDecisions decisions;
  Answer answer = Service(decisions, decisions.refusals).bind(sample(kBind), kCaller);
  CHECK(answer.status == 200);
  CHECK(json::parse(answer.reply.text()) == json{{"Error", ""}});
  CHECK(decisions.bound.at(0).node == "node-a");

  decisions.bind_result = fail(ErrorCode::kConflict, "muster: \"train\" was planned again");
  answer = Service(decisions, decisions.refusals).bind(sample(kBind), kCaller);
  CHECK(answer.status == 200);
  CHECK(json::parse(answer.reply.text()) == json{{"Error", "muster: \"train\" was planned again"}});

  answer = Service(decisions, decisions.refusals).bind("{\"PodName\":1}", kCaller);
  CHECK(answer.status == 400);
  CHECK(decisions.bound.size() == 2);
}

TEST_CASE("preempt: candidates whose victims must stay are dropped, the others come back unchanged") {
  FakeDecisions decisions;
  std::string body = sample(kPreempt);
  json all = json::parse(body)["NodeNameToMetaVictims"];
  CHECK(json::parse(Service(decisions, decisions.refusals).preempt(body, kCaller).reply.text()) ==
        json{{"NodeNameToMetaVictims", all}});

  decisions.allowed = [](const auto& uids) { return uids.empty(); };
  all.erase("node-a");
  CHECK(json::parse(Service(decisions, decisions.refusals).preempt(body, kCaller).reply.text()) ==
        json{{"NodeNameToMetaVictims", all}});

  decisions.allowed = [](const auto&) { return false; };
  Answer answer = Service(decisions, decisions.refusals).preempt(body, kCaller);
  CHECK(answer.status == 200);
  CHECK(answer.reply.text() == R"({"NodeNameToMetaVictims":{}})");
}

std::vector<json> audited(FakeDecisions& decisions) {
  std::vector<json> lines;
  for (const AuditLine& line : decisions.refusals.take(Duration(0)))
    lines.push_back(json::parse(line.text()));
  return lines;
}

TEST_CASE("audit: a refusal has a line with the caller, the pod, the verb, the reason and the plan") {
  FakeDecisions decisions;
  Service service(decisions, decisions.refusals);
  const auto line = [&](std::string_view verb, std::string_view why) {
    const json pod = json::parse(sample(kFilter))["Pod"]["metadata"];
    return json{{"what", "refuse"},
                {"who", kCaller},
                {"pod", pod["namespace"].get<std::string>() + "/" + pod["name"].get<std::string>()},
                {"uid", pod["uid"]},
                {"verb", verb},
                {"why", why}};
  };
  decisions.decision = Held{"muster: 3 of 4 members are here"};
  CHECK(service.filter(sample(kFilter), kCaller).status == 200);
  CHECK(audited(decisions) == std::vector<json>{line("filter", "muster: 3 of 4 members are here")});

  decisions.decision = Planned{"elsewhere", "p-7"};
  CHECK(service.filter(sample(kFilter), kCaller).status == 200);
  const json moved = audited(decisions).at(0);
  CHECK(moved["node"] == "elsewhere");
  CHECK(moved["plan"] == "p-7");

  decisions.allowed = [](const auto&) { return false; };
  CHECK(service.preempt(sample(kPreempt), kCaller).status == 200);
  const json shielded = audited(decisions).at(0);
  CHECK(shielded["verb"] == "preempt");
  CHECK(shielded["why"] == "nobody may be evicted for it on 2 of 2 nodes");
}

TEST_CASE("audit: what is answered as it was asked has no line; a bind call goes on with its caller's name") {
  FakeDecisions decisions;
  Service service(decisions, decisions.refusals);
  CHECK(service.filter(sample(kFilter), kCaller).status == 200);
  decisions.decision = Planned{"node-a", "p-7"};
  CHECK(service.filter(sample(kFilter), kCaller).status == 200);
  CHECK(service.preempt(sample(kPreempt), kCaller).status == 200);
  CHECK(service.bind(sample(kBind), kCaller).status == 200);
  CHECK(audited(decisions).empty());
  CHECK(decisions.bound.at(0).caller == kCaller);
}

TEST_CASE("audit: a pod of no group that is left no node is refused; one that is left some is not") {
  FakeDecisions decisions;
  Service service(decisions, decisions.refusals);
  decisions.decision = Foreign{std::make_shared<Promises>(promised({{"node-a", 0}, {"node-b", 0}}))};
  CHECK(service.filter(sample(kFilter), kCaller).status == 200);
  CHECK(audited(decisions).empty());
  decisions.decision =
      Foreign{std::make_shared<Promises>(promised({{"node-a", 0}, {"node-b", 0}, {"node-c", 0}}))};
  CHECK(service.filter(sample(kFilterNoNames), kCaller).status == 200);
  CHECK(audited(decisions).empty());
  CHECK(service.filter(sample(kFilter), kCaller).status == 200);
  const std::vector<json> lines = audited(decisions);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["verb"] == "filter");
  CHECK(lines[0]["why"] == "muster: the free room is promised to a group");
}

TEST_CASE("audit: what kube-scheduler asks again has no second line, and its count when it ends") {
  FakeDecisions decisions;
  Service service(decisions, decisions.refusals);
  const FilterDecision planned = Planned{"node-a", "p-7"};
  const FilterDecision passes = Foreign{std::make_shared<Promises>()};
  const FilterDecision some = Foreign{std::make_shared<Promises>(promised({{"node-a", 0}}))};
  for (const FilterDecision& ending : {planned, passes, some}) {
    decisions.decision = Held{"muster: 3 of 4 members are here"};
    for (int i = 0; i < 5; ++i) CHECK(service.filter(sample(kFilter), kCaller).status == 200);
    CHECK(audited(decisions).size() == 1);
    decisions.decision = ending;
    CHECK(service.filter(sample(kFilter), kCaller).status == 200);
    const std::vector<json> lines = audited(decisions);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["repeated"] == 4);
  }
  decisions.allowed = [](const auto&) { return false; };
  for (int i = 0; i < 3; ++i) CHECK(service.preempt(sample(kPreempt), kCaller).status == 200);
  CHECK(audited(decisions).size() == 1);
  decisions.allowed = [](const auto&) { return true; };
  CHECK(service.preempt(sample(kPreempt), kCaller).status == 200);
  CHECK(audited(decisions).at(0)["repeated"] == 2);
}

TEST_CASE("a standby answers 503 to every verb, decides nothing, and each pod's refusal has its line") {
  FakeDecisions decisions;
  decisions.away = "standby: b leads";
  Service service(decisions, decisions.refusals);
  for (int i = 0; i < 2; ++i) {
    for (const Answer& answer :
         {service.filter(sample(kFilter), kCaller), service.bind(sample(kBind), kCaller),
          service.preempt(sample(kPreempt), kCaller)}) {
      CHECK(answer.status == 503);
      CHECK(json::parse(answer.reply.text()) == json{{"Error", "muster: standby: b leads"}});
    }
  }
  CHECK(decisions.seen.empty());
  CHECK(decisions.bound.empty());
  const std::vector<json> lines = audited(decisions);
  REQUIRE(lines.size() == 3);
  const std::array verbs{"filter", "bind", "preempt"};
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    CHECK(lines[i]["verb"] == verbs[i]);
    CHECK(lines[i]["who"] == kCaller);
    CHECK(lines[i]["why"] == "muster: standby: b leads");
  }
  CHECK(lines[1]["node"] == "node-a");

  decisions.away.clear();
  CHECK(service.bind(sample(kBind), kCaller).status == 200);
  CHECK(audited(decisions).at(0)["repeated"] == 1);
}

TEST_CASE("bind: there is a worker for each member of the largest group, and for others beside it") {
  const http::ServerOptions server;
  for (const uint64_t members : {uint64_t{1}, uint64_t{4'096}, uint64_t{10'000}, uint64_t{1'000'000}})
    CHECK(workers_for(members) >= members + server.reserved_workers + 1'000);
  CHECK(workers_for(1) == server.max_workers);
}

}  // namespace
}  // namespace muster::extender
