#include "kube/yaml.h"

#include <catch2/catch.hpp>

namespace muster::kube {
namespace {

// The JSON of the only document of the text, or the error's message.
std::string json_of(std::string_view yaml) {
  const auto documents = yaml_to_json(yaml, "cluster.yaml");
  if (!documents) return documents.error().message;
  if (documents->size() != 1) return std::to_string(documents->size()) + " documents";
  return documents->front().json;
}

TEST_CASE("unquoted scalars mean what kubectl makes of them") {
  CHECK(json_of("a: 4") == R"({"a":4})");
  CHECK(json_of("a: yes") == R"({"a":true})");
  CHECK(json_of("a: off") == R"({"a":false})");
  CHECK(json_of("a: True") == R"({"a":true})");
  CHECK(json_of("a: tRue") == R"({"a":"tRue"})");
  CHECK(json_of("a: ~") == R"({"a":null})");
  CHECK(json_of("a:") == R"({"a":null})");
  CHECK(json_of("a: 010") == R"({"a":8})");
  CHECK(json_of("a: 08") == R"({"a":8})");
  CHECK(json_of("a: 0x1F") == R"({"a":31})");
  CHECK(json_of("a: -0b101") == R"({"a":-5})");
  CHECK(json_of("a: 1_000") == R"({"a":1000})");
  CHECK(json_of("a: -0") == R"({"a":0})");
  CHECK(json_of("a: 18446744073709551615") == R"({"a":18446744073709551615})");
  CHECK(json_of("a: 1e3") == R"({"a":1e3})");
  CHECK(json_of("a: +1.50E+2") == R"({"a":1.50e+2})");
  CHECK(json_of("a: .5") == R"({"a":0.5})");
  CHECK(json_of("a: 1.") == R"({"a":1})");
  CHECK(json_of("a: 500m") == R"({"a":"500m"})");
  CHECK(json_of("a: 1Gi") == R"({"a":"1Gi"})");
  CHECK(json_of("a: 1.2.3") == R"({"a":"1.2.3"})");
  CHECK(json_of("a: -") == json_of("a: -"));
  CHECK(json_of("a: 2026-01-31T12:00:00Z") == R"({"a":"2026-01-31T12:00:00Z"})");
  CHECK(json_of("a: 127.0.0.1:80") == R"({"a":"127.0.0.1:80"})");
}

TEST_CASE("letters that stand for yes and no are read as kubectl reads them") {
  CHECK(json_of("n: Y") == R"({"false":true})");
  CHECK(json_of("'n': 'Y'") == R"({"n":"Y"})");
}

TEST_CASE("quoted and block scalars stay texts") {
  CHECK(json_of("a: '4'") == R"({"a":"4"})");
  CHECK(json_of("a: \"yes\"") == R"({"a":"yes"})");
  CHECK(json_of("a: ''") == R"({"a":""})");
  CHECK(json_of("a: \"null\"") == R"({"a":"null"})");
  CHECK(json_of("a: |\n  4\n") == R"({"a":"4\n"})");
  CHECK(json_of("a: >-\n  true\n") == R"({"a":"true"})");
  CHECK(json_of("a: !!str 4") == R"({"a":"4"})");
  CHECK(json_of("a: !!int 4") == R"({"a":4})");
}

TEST_CASE("texts are escaped for JSON") {
  CHECK(json_of(R"(a: "q\" b\\ t\t u\u00e9")") == "{\"a\":\"q\\\" b\\\\ t\\t u\xc3\xa9\"}");
}

TEST_CASE("keys become texts whatever they look like") {
  CHECK(json_of("1: a\ntrue: b\n'2': c\nmuster.dev/x: d") ==
        R"({"1":"a","true":"b","2":"c","muster.dev/x":"d"})");
}

TEST_CASE("maps and lists nest in block and flow style") {
  CHECK(json_of("a:\n- b: 1\n  c: [x, {d: 2}]\n- []\n- {}\n") ==
        R"({"a":[{"b":1,"c":["x",{"d":2}]},[],{}]})");
}

TEST_CASE("anchors, aliases and merge keys are resolved and own fields win") {
  CHECK(json_of("base: &b {cpu: 1, gpu: 8}\nx: *b\nz:\n  <<: *b\n  gpu: 4\n") ==
        R"({"base":{"cpu":1,"gpu":8},"x":{"cpu":1,"gpu":8},"z":{"gpu":4,"cpu":1}})");
  CHECK(json_of("a: &a {x: 1}\nb: &b {x: 2, z: 2}\nc:\n  <<: [*a, *b]\n") ==
        R"({"a":{"x":1},"b":{"x":2,"z":2},"c":{"x":1,"z":2}})");
}

TEST_CASE("each document is converted and empty ones are dropped") {
  const auto documents = yaml_to_json("# head\n---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n", "f");
  REQUIRE(documents.has_value());
  REQUIRE(documents->size() == 2);
  CHECK((*documents)[0].json == R"({"a":1})");
  CHECK((*documents)[0].line == 3);
  CHECK((*documents)[1].json == R"({"b":2})");
  CHECK((*documents)[1].line == 8);
  CHECK(yaml_to_json("", "f")->empty());
  CHECK(yaml_to_json("# only a comment\n", "f")->empty());
}

TEST_CASE("JSON is read as YAML") {
  CHECK(json_of(R"({"a": [1, true, null, "4", "\n"], "b": {"c": ""}})") ==
        R"({"a":[1,true,null,"4","\n"],"b":{"c":""}})");
}

TEST_CASE("malformed YAML is refused with source, line and column") {
  CHECK(json_of("a: 1\nb: [1, 2\n").find("cluster.yaml:") == 0);
  CHECK(json_of("a: 1\n  b: 2\n").find("cluster.yaml:2:") == 0);
  CHECK(json_of("a: \"open\n").find("cluster.yaml:") == 0);
  CHECK(json_of("a: *nowhere\n").find("cluster.yaml:1:") == 0);
}

TEST_CASE("what no document can begin with is refused, and the reading ends") {
  for (const char* text : {",", "]", "}", "a: b\n---\n}\n", "{a: b}, {c: d}"}) {
    INFO(text);
    const auto documents = yaml_to_json(text, "f");
    REQUIRE_FALSE(documents);
    CHECK(documents.error().message.rfind("f:", 0) == 0);
  }
}

TEST_CASE("a key that occurs twice is refused at its place") {
  CHECK(json_of("a: 1\nb: 2\na: 3\n") == "cluster.yaml:3:1: the key \"a\" occurs twice");
  CHECK(json_of("1: x\n'1': y\n") == "cluster.yaml:2:1: the key \"1\" occurs twice");
}

TEST_CASE("what JSON cannot say is refused") {
  CHECK(json_of("a: .nan") == "cluster.yaml:1:4: \".nan\" has no meaning in JSON");
  CHECK(json_of("a: -.inf") == "cluster.yaml:1:4: \"-.inf\" has no meaning in JSON");
  CHECK(json_of("[1, 2]: x").find("a key must be a text") != std::string::npos);
  CHECK(json_of("a: !!binary aGk=").find("unknown tag") != std::string::npos);
  CHECK(json_of("a: !Ref x") == "cluster.yaml:1:4: unknown tag");
  CHECK(json_of("a:\n  <<: 4\n").find("the value of << must be a map") != std::string::npos);
}

TEST_CASE("deep nesting ends in an error") {
  CHECK(json_of(std::string(101, '[') + std::string(101, ']')).find("levels") == std::string::npos);
  CHECK(json_of(std::string(102, '[') + std::string(102, ']')).find("deeper than 100") != std::string::npos);
  CHECK(json_of(std::string(100'000, '[')).find("cluster.yaml:") == 0);
  CHECK(json_of(std::string(100'000, '{')).find("cluster.yaml:") == 0);
}

TEST_CASE("aliases that contain themselves or multiply end in an error") {
  CHECK(json_of("a: &a [*a, *a]\n").find("cluster.yaml:") == 0);
  std::string laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  std::string merges = "a0: &a0 {x: 1}\n";
  for (int i = 1; i < 12; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    std::string list = alias;
    for (int k = 1; k < 9; ++k) list += ", " + alias;
    const std::string name = "a" + std::to_string(i);
    laughs += name + ": &" + name + " [" + list + "]\n";
    merges += name + ": &" + name + " {<<: [" + list + "]}\n";
  }
  CHECK(json_of(laughs).find("the aliases make the document too large") != std::string::npos);
  CHECK(json_of(merges).find("too many merged maps") != std::string::npos);
}

TEST_CASE("lists as kubectl prints them are taken apart") {
  const auto objects = yaml_to_objects(
      "apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n  metadata: {name: p}\n- kind: Node\n  metadata: "
      "{name: n}\n"
      "---\nkind: NodeList\nitems:\n- metadata: {name: m}\n---\nkind: Pod\nmetadata: {name: q}\n---\nkind: "
      "PodList\nitems: []\n",
      "f");
  REQUIRE(objects.has_value());
  REQUIRE(objects->size() == 4);
  CHECK((*objects)[0].kind == "Pod");
  CHECK((*objects)[0].line == 4);
  CHECK((*objects)[1].kind == "Node");
  CHECK((*objects)[2].kind == "Node");
  CHECK((*objects)[2].json == R"({"metadata":{"name":"m"}})");
  CHECK((*objects)[3].kind == "Pod");
  CHECK((*objects)[3].json == R"({"kind":"Pod","metadata":{"name":"q"}})");
}

TEST_CASE("an object must be a map") {
  CHECK(yaml_to_objects("just text", "f").error().message == "f:1:1: expected an object with fields");
  CHECK(yaml_to_objects("kind: List\nitems: [1]", "f").error().message ==
        "f:2:9: expected an object with fields");
  CHECK(yaml_to_objects("kind: List\nitems: {}", "f").error().message == "f:2:8: items must be a list");
}

}  // namespace
}  // namespace muster::kube
