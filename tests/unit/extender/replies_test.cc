#include "extender/replies.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

namespace muster::extender {
namespace {

using nlohmann::json;

TEST_CASE("replies: whichever hosts are too full, the others come back in order and these get the reason") {
  std::mt19937 random(3);
  ResourceList requests;
  requests.set("pods", 1);
  for (int round = 0; round < 2000; ++round) {
    Promises promises;
    json good = json::array();
    json failed = json::object();
    std::string text;
    int count = static_cast<int>(random() % 8);
    for (int i = 0; i < count; ++i) {
      // Some names share their last eight bytes, some are shorter than that.
      std::string name =
          std::string(random() % 2, 'x') + "n" + std::to_string(i) + (random() % 2 ? "-same-end" : "");
      text += (i > 0 ? ",\"" : "\"") + name + "\"";
      bool full = random() % 2 == 0;
      promises[name].set("pods", full ? 0 : 1);
      if (full) failed[name] = "a \"reason\"";
      if (!full) good.push_back(name);
    }
    auto names = NodeNames::from_plain(text).value();
    json reply = json::parse(some_nodes_reply(names, ShortHosts(promises, requests), "a \"reason\"").text());
    INFO(text);
    REQUIRE(reply["NodeNames"] == good);
    REQUIRE(reply["FailedAndUnresolvableNodes"] == failed);
  }
}

TEST_CASE("replies: a host is too full as soon as one resource is short, whatever else it has") {
  Promises promises;
  promises["a"].set("cpu", 1000);
  promises["b"].set("cpu", 999);
  promises["c"].set("memory", 1 << 30);
  promises["d"] = {};
  ResourceList requests;
  requests.set("cpu", 1000);
  ShortHosts hosts(promises, requests);
  CHECK(!hosts.contains("a"));
  CHECK(hosts.contains("b"));
  CHECK(hosts.contains("c"));
  CHECK(hosts.contains("d"));
  CHECK(!hosts.contains("e"));
  CHECK(ShortHosts(promises, {}).empty());
}

}  // namespace
}  // namespace muster::extender
