// Bad configuration files. Each kind of mistake has its message: where, what, and what would be right.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "config/config.h"

namespace muster::config {
namespace {

const std::string kHead = "apiVersion: muster.dev/v1alpha1\nkind: MusterConfiguration\n";

std::string refusal_of(const std::string& yaml) {
  const auto configuration = parse(yaml, "m.yaml");
  INFO(yaml);
  REQUIRE_FALSE(configuration);
  CHECK(configuration.error().code == ErrorCode::kInvalid);
  CHECK(configuration.error().message.find('\n') == std::string::npos);
  return configuration.error().message;
}

// The mistake in what follows the head, whose first line is the file's third.
std::string mistake(const std::string& rest) { return refusal_of(kHead + rest); }

TEST_CASE("config mistakes: an unknown key is named with its line, its path and the nearest known key") {
  CHECK(mistake("groups:\n  holdTimout: 3s\n") ==
        "m.yaml:4: groups.holdTimout: unknown key; did you mean \"holdTimeout\"?");
  CHECK(mistake("sever: {}\n") == "m.yaml:3: sever: unknown key; did you mean \"server\"?");
  CHECK(mistake("server: {Port: 1}\n") == "m.yaml:3: server.Port: unknown key; did you mean \"port\"?");
  CHECK(mistake("kubernetes: {timeout: 1s}\n") ==
        "m.yaml:3: kubernetes.timeout: unknown key; the nearest known one is \"burst\", all of them: qps, "
        "burst, "
        "workers");
  CHECK(mistake("topology: {trees: [{name: a, levels: [{name: b, label: [c]}]}]}\n") ==
        "m.yaml:3: topology.trees[0].levels[0].label: unknown key; did you mean \"labels\"?");
  CHECK_THAT(mistake("\"ho\\nst\": 1\n"), Catch::StartsWith("m.yaml:3: \"ho\\nst\": unknown key"));
}

TEST_CASE("config mistakes: durations of the leader election that would let two lead are refused") {
  CHECK(mistake("leaderElection: {leaseDuration: 10s}\n") ==
        "m.yaml:3: leaderElection: leaseDuration (10s) must be longer than renewDeadline (10s)");
  CHECK(mistake("leaderElection: {renewDeadline: 2400ms}\n") ==
        "m.yaml:3: leaderElection: renewDeadline (2s400ms) must be longer than 1.2 times retryPeriod (2s)");
  CHECK(mistake("leaderElection: {leaseDuration: 15500ms}\n") ==
        "m.yaml:3: leaderElection: leaseDuration (15s500ms) must be whole seconds");
  CHECK(parse(kHead + "leaderElection: {renewDeadline: 2401ms}\n", "m.yaml"));
}

TEST_CASE("config mistakes: the leader election is on or off, and its lease has a name") {
  CHECK(mistake("leaderElection: {enabled: yes}\n") ==
        "m.yaml:3: leaderElection.enabled: \"yes\" is neither true nor false");
  CHECK(mistake("leaderElection: {enabled: \"true\"}\n") ==
        "m.yaml:3: leaderElection.enabled: is \"true\" in quotes, not true or false");
  CHECK(mistake("leaderElection: {namespace: kube.system}\n") ==
        "m.yaml:3: leaderElection.namespace: \"kube.system\" is not a DNS label (lower case letters, digits "
        "and "
        "'-', at most 63)");
  CHECK_THAT(mistake("leaderElection: {name: Muster}\n"),
             Catch::StartsWith("m.yaml:3: leaderElection.name: \"Muster\" is no object's name"));
  CHECK(mistake("leaderElection: {renewDeadLine: 1s}\n") ==
        "m.yaml:3: leaderElection.renewDeadLine: unknown key; did you mean \"renewDeadline\"?");
}

TEST_CASE("config mistakes: a key that stands twice is refused") {
  CHECK(mistake("server: {port: 1, port: 2}\n") == "m.yaml:3: server.port: this key stands twice");
  CHECK(mistake("logging: {level: info}\nlogging: {level: debug}\n") ==
        "m.yaml:4: logging: this key stands twice");
}

TEST_CASE("config mistakes: the head has to say what the file is") {
  CHECK(refusal_of("kind: MusterConfiguration\n") == "m.yaml:1: apiVersion: is missing");
  CHECK(refusal_of("apiVersion: muster.dev/v1alpha1\n") == "m.yaml:1: kind: is missing");
  CHECK(refusal_of("apiVersion: muster.dev/v2\nkind: MusterConfiguration\n") ==
        "m.yaml:1: apiVersion: \"muster.dev/v2\" is not \"muster.dev/v1alpha1\"");
  CHECK(refusal_of("apiVersion: muster.dev/v1alpha1\nkind: KubeSchedulerConfiguration\n") ==
        "m.yaml:2: kind: \"KubeSchedulerConfiguration\" is not \"MusterConfiguration\"");
}

TEST_CASE("config mistakes: what is no single mapping is refused") {
  CHECK(refusal_of("") == "m.yaml: is empty; a MusterConfiguration is wanted");
  CHECK(refusal_of("just words") == "m.yaml:1: is \"just words\", not a mapping");
  CHECK(refusal_of("- a\n- b\n") == "m.yaml:1: is a list, not a mapping");
  CHECK(refusal_of(kHead + "---\n" + kHead) == "m.yaml: has 2 documents; one MusterConfiguration is wanted");
  CHECK_THAT(mistake("? [a, b]\n: c\n"), Catch::StartsWith("m.yaml:3: a list is no key"));
}

TEST_CASE("config mistakes: broken YAML is refused with its line") {
  CHECK_THAT(mistake("server: [\n"), Catch::StartsWith("m.yaml:4: "));
  CHECK_THAT(mistake("server: {port: 1\nlogging: {}\n"), Catch::StartsWith("m.yaml:"));
  CHECK_THAT(mistake("a: *nowhere\n"), Catch::StartsWith("m.yaml:3: "));
  CHECK_THAT(mistake("\tserver: 1\n"), Catch::StartsWith("m.yaml:3: "));
  CHECK_THAT(mistake("a: \"\\\r\"\n"), Catch::EndsWith("unknown escape character: \\x0d"));  // on one line
}

TEST_CASE("config mistakes: hostile YAML ends in a message") {
  CHECK_THAT(mistake("topology: " + std::string(100'000, '[')), Catch::StartsWith("m.yaml"));
  CHECK_THAT(refusal_of(std::string((1u << 20) + 1, '#')), Catch::Contains("at most 1048576 are read"));
  CHECK_THAT(refusal_of(std::string("\x00\x01\x02\xff\xfe", 5)), Catch::StartsWith("m.yaml"));
}

TEST_CASE("config mistakes: a section without content is refused") {
  CHECK(mistake("server:\n") == "m.yaml:3: server: is empty, not a mapping");
  CHECK(mistake("server:\n  tls:\n") == "m.yaml:4: server.tls: is empty, not a mapping");
  CHECK(mistake("topology: {trees: }\n") == "m.yaml:3: topology.trees: is empty, not a list");
  CHECK(mistake("groups: {holdTimeout: }\n") == "m.yaml:3: groups.holdTimeout: is empty, not a duration");
}

TEST_CASE("config mistakes: a value of another type is refused") {
  CHECK(mistake("server: 9470\n") == "m.yaml:3: server: is \"9470\", not a mapping");
  CHECK(mistake("server: {port: [1]}\n") == "m.yaml:3: server.port: is a list, not a whole number");
  CHECK(mistake("server: {port: \"9470\"}\n") ==
        "m.yaml:3: server.port: is \"9470\" in quotes, not a whole number");
  CHECK(mistake("server: {port: http}\n") == "m.yaml:3: server.port: \"http\" is not a whole number");
  CHECK(mistake("server: {address: {a: b}}\n") == "m.yaml:3: server.address: is a mapping, not a string");
  CHECK(mistake("schedulerNames: muster\n") == "m.yaml:3: schedulerNames: is \"muster\", not a list");
  CHECK(mistake("schedulerNames: [1]\n") ==
        "m.yaml:3: schedulerNames[0]: \"1\" is a number here; put it in quotes to mean the string");
  CHECK(mistake("schedulerNames: [muster, yes]\n") ==
        "m.yaml:3: schedulerNames[1]: \"yes\" is a boolean here; put it in quotes to mean the string");
  CHECK(mistake("schedulerNames: [~]\n") == "m.yaml:3: schedulerNames[0]: is empty, not a string");
  CHECK(mistake("kubernetes: {qps: fast}\n") == "m.yaml:3: kubernetes.qps: \"fast\" is not a number");
  CHECK(mistake("topology: {trees: {name: fabric}}\n") ==
        "m.yaml:3: topology.trees: is a mapping, not a list");
}

TEST_CASE("config mistakes: numbers that read differently to YAML and to people are refused") {
  for (const std::string number : {"010", "0x10", "1e3", "1_000", "+1", "-1", "1.0", "''"}) {
    INFO(number);
    CHECK_THAT(mistake("server: {port: " + number + "}\n"),
               Catch::StartsWith("m.yaml:3: server.port: ") && Catch::Contains("whole number"));
  }
}

TEST_CASE("config mistakes: a number out of its range is refused with the range") {
  CHECK(mistake("server: {port: 65536}\n") == "m.yaml:3: server.port: 65536 is out of the range 0 to 65535");
  CHECK(mistake("server: {port: 99999999999999999999}\n") ==
        "m.yaml:3: server.port: 99999999999999999999 is out of the range 0 to 65535");
  CHECK(mistake("server: {maxBodyBytes: 10}\n") ==
        "m.yaml:3: server.maxBodyBytes: 10 is out of the range 1024 to 1073741824");
  CHECK(mistake("kubernetes: {workers: 0}\n") ==
        "m.yaml:3: kubernetes.workers: 0 is out of the range 1 to 1024");
  CHECK(mistake("kubernetes: {qps: 0}\n") == "m.yaml:3: kubernetes.qps: 0 is out of the range 0.1 to 100000");
  CHECK(mistake("kubernetes: {qps: -5}\n") ==
        "m.yaml:3: kubernetes.qps: -5 is out of the range 0.1 to 100000");
  CHECK_THAT(mistake("kubernetes: {qps: .nan}\n"), Catch::Contains("is not a number"));
  CHECK_THAT(mistake("kubernetes: {burst: inf}\n"), Catch::Contains("is not a number"));
}

TEST_CASE("config mistakes: a duration that is none or out of its range is refused") {
  CHECK(mistake("groups: {holdTimeout: 30}\n") ==
        "m.yaml:3: groups.holdTimeout: \"30\" is not a duration such as 500ms, 45s, 2m or 1h30m");
  CHECK(mistake("groups: {holdTimeout: 0s}\n") ==
        "m.yaml:3: groups.holdTimeout: 0s is out of the range 100ms to 24h");
  CHECK(mistake("server: {bindTimeout: 11m}\n") ==
        "m.yaml:3: server.bindTimeout: 11m is out of the range 100ms to 10m");
  CHECK(mistake("groups: {retryBackoff: 2m}\n") ==
        "m.yaml:3: groups: retryBackoffMax is shorter than retryBackoff");
}

TEST_CASE("config mistakes: names of trees and levels have to be usable in constraints") {
  const auto level = [](const std::string& name) {
    return mistake("topology: {trees: [{name: fabric, levels: [{name: " + name + ", labels: [l]}]}]}\n");
  };
  for (const std::string name : {"a/b", "4@rack", "'a,b'", "-rack", "rack-", "'a b'", "''"}) {
    INFO(name);
    CHECK_THAT(level(name), Catch::StartsWith("m.yaml:3: topology.trees[0].levels[0].name: "));
  }
  CHECK_THAT(level(std::string(64, 'r')), Catch::Contains("at most 63"));
  CHECK(level("host") ==
        "m.yaml:3: topology.trees[0].levels[0].name: \"host\" is the name of every tree's last level and is "
        "not "
        "listed");
  CHECK_THAT(mistake("topology: {trees: [{name: a/b, levels: [{name: r, labels: [l]}]}]}\n"),
             Catch::StartsWith("m.yaml:3: topology.trees[0].name: \"a/b\" is no name"));
}

TEST_CASE("config mistakes: what is no label key is refused") {
  const auto label = [](const std::string& key) {
    return mistake("topology: {trees: [{name: fabric, levels: [{name: rack, labels: [" + key + "]}]}]}\n");
  };
  for (const std::string key : {"a b", "a/b/c", "/rack", "rack/", "UPPER.io/rack", "\"rack\\n\"", "-rack"}) {
    INFO(key);
    CHECK_THAT(label(key), Catch::StartsWith("m.yaml:3: topology.trees[0].levels[0].labels[0]: ") &&
                               Catch::Contains("is no label key"));
  }
  CHECK_THAT(label("kubernetes.io/hostname"), Catch::Contains("the host is every tree's last level"));
  CHECK_THAT(label("r, r"), Catch::Contains("labels[1]: \"r\" stands twice"));
  CHECK_THAT(label(""), Catch::Contains("is an empty list"));
}

TEST_CASE("config mistakes: trees that contradict themselves are refused") {
  CHECK(mistake("topology: {trees: [{name: a}]}\n") == "m.yaml:3: topology.trees[0].levels: is missing");
  CHECK(mistake("topology: {trees: [{name: a, levels: []}]}\n") ==
        "m.yaml:3: topology.trees[0].levels: is an empty list");
  CHECK(mistake("topology: {trees: [{name: a, levels: [{name: r}]}]}\n") ==
        "m.yaml:3: topology.trees[0].levels[0].labels: is missing");
  CHECK(
      mistake("topology:\n  trees:\n  - name: a\n    levels:\n    - {name: r, labels: [x]}\n    - {name: r, "
              "labels: [y]}\n") ==
      "m.yaml:8: topology.trees[0].levels[1]: level \"r\" stands twice in its tree");
  CHECK(
      mistake(
          "topology: {trees: [{name: a, levels: [{name: b, labels: [x, y]}, {name: r, labels: [y]}]}]}\n") ==
      "m.yaml:3: topology.trees[0].levels[1]: levels \"b\" and \"r\" share a label");
  CHECK(
      mistake("topology: {trees: [{name: a, levels: [{name: r, labels: [x]}]}, {name: a, levels: [{name: r, "
              "labels: [x]}]}]}\n") == "m.yaml:3: topology.trees[1]: tree \"a\" stands twice");
}

TEST_CASE("config mistakes: limits on counts are explicit") {
  std::string levels;
  for (int i = 0; i < 17; ++i) {
    levels += "{name: l" + std::to_string(i) + ", labels: [k" + std::to_string(i) + "]},";
  }
  CHECK(mistake("topology: {trees: [{name: a, levels: [" + levels + "]}]}\n") ==
        "m.yaml:3: topology.trees[0].levels: has 17 entries; at most 16 are allowed");
}

TEST_CASE("config mistakes: an address that cannot be listened on is refused") {
  for (const std::string address :
       {"300.1.1.1", "127.0.0.1:9470", "http://127.0.0.1", "'[::1]'", "'a b'", "1.2.3.4.5"}) {
    INFO(address);
    CHECK_THAT(mistake("server: {address: " + address + "}\n"),
               Catch::StartsWith("m.yaml:3: server.address: ") && Catch::Contains("is no address"));
  }
}

TEST_CASE("config mistakes: half a TLS pair is refused") {
  CHECK(mistake("server: {tls: {certFile: a}}\n") == "m.yaml:3: server.tls.keyFile: is missing");
  CHECK(mistake("server: {tls: {keyFile: a}}\n") == "m.yaml:3: server.tls.certFile: is missing");
  CHECK(mistake("server: {tls: {clientCAFile: a}}\n") == "m.yaml:3: server.tls.certFile: is missing");
  CHECK(mistake("server: {tls: {certFile: '', keyFile: b}}\n") ==
        "m.yaml:3: server.tls.certFile: is an empty string");
}

TEST_CASE("config mistakes: names of callers mean nothing without the CA that vouches for them") {
  CHECK(mistake("server: {tls: {certFile: a, keyFile: b, clientNames: [c]}}\n") ==
        "m.yaml:3: server.tls.clientNames: without clientCAFile these names would be nobody's");
  CHECK_THAT(mistake("server: {tls: {certFile: a, keyFile: b, clientCAFile: c, clientNames: ['']}}\n"),
             Catch::StartsWith("m.yaml:3: server.tls.clientNames[0]: is"));
}

TEST_CASE("config mistakes: a level of logging that does not exist is refused") {
  CHECK(mistake("logging: {level: verbose}\n") ==
        "m.yaml:3: logging.level: \"verbose\" is none of debug, info, warning, error");
}

TEST_CASE("config mistakes: scheduler names are given once and without spaces") {
  CHECK(mistake("schedulerNames: []\n") == "m.yaml:3: schedulerNames: is an empty list");
  CHECK(mistake("schedulerNames: [a, a]\n") == "m.yaml:3: schedulerNames[1]: \"a\" stands twice");
  CHECK_THAT(mistake("schedulerNames: ['a b']\n"), Catch::Contains("is no scheduler name"));
}

}  // namespace
}  // namespace muster::config
