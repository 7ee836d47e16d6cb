#include "embedded/patch.h"

#include <catch2/catch.hpp>

namespace muster::embedded {
namespace {

struct Vector {
  const char* what;
  const char* target;
  const char* patch;
  const char* result;
};

Json json(const char* text) { return Json::parse(text); }

TEST_CASE("Merge patches do what RFC 7396 says") {
  const Vector vectors[] = {
      {"a value replaces", R"({"a":1})", R"({"a":2})", R"({"a":2})"},
      {"null removes", R"({"a":1,"b":2})", R"({"a":null})", R"({"b":2})"},
      {"objects merge", R"({"a":{"b":1,"c":2}})", R"({"a":{"b":3}})", R"({"a":{"b":3,"c":2}})"},
      {"lists replace", R"({"a":[1,2]})", R"({"a":[3]})", R"({"a":[3]})"},
      {"nulls in new objects vanish", R"({})", R"({"a":{"b":null,"c":1}})", R"({"a":{"c":1}})"},
      {"removing what is not there is nothing", R"({"a":1})", R"({"b":null})", R"({"a":1})"},
  };
  for (const Vector& v : vectors) {
    INFO(v.what);
    Json target = json(v.target);
    merge_patch(target, json(v.patch));
    CHECK(target == json(v.result));
  }
}

TEST_CASE("Strategic merge patches know lists with identity and the directives") {
  const Vector vectors[] = {
      {"a gate is deleted by name, others stay",
       R"({"spec":{"schedulingGates":[{"name":"x"},{"name":"muster.dev/hold"}]}})",
       R"({"spec":{"schedulingGates":[{"$patch":"delete","name":"muster.dev/hold"}]}})",
       R"({"spec":{"schedulingGates":[{"name":"x"}]}})"},
      {"the last gate leaves an empty list", R"({"spec":{"schedulingGates":[{"name":"h"}]}})",
       R"({"spec":{"schedulingGates":[{"$patch":"delete","name":"h"}]}})",
       R"({"spec":{"schedulingGates":[]}})"},
      {"deleting a gate that is not there is nothing", R"({"spec":{"schedulingGates":[{"name":"x"}]}})",
       R"({"spec":{"schedulingGates":[{"$patch":"delete","name":"h"}]}})",
       R"({"spec":{"schedulingGates":[{"name":"x"}]}})"},
      {"a condition is updated by type",
       R"({"c":1,"conditions":[{"type":"A","status":"False","reason":"r"}]})",
       R"({"conditions":[{"type":"A","status":"True"},{"type":"B","status":"True"}]})",
       R"({"c":1,"conditions":[{"type":"A","status":"True","reason":"r"},{"type":"B","status":"True"}]})"},
      {"a list of its own is replaced", R"({"tolerations":[{"key":"a"}]})",
       R"({"tolerations":[{"key":"b"}]})", R"({"tolerations":[{"key":"b"}]})"},
      {"objects merge and null removes", R"({"m":{"a":"1","b":"2"}})", R"({"m":{"a":null,"c":"3"}})",
       R"({"m":{"b":"2","c":"3"}})"},
      {"an object is replaced", R"({"m":{"a":"1"}})", R"({"m":{"$patch":"replace","b":"2"}})",
       R"({"m":{"b":"2"}})"},
      {"an object is deleted", R"({"m":{"a":"1"},"n":1})", R"({"m":{"$patch":"delete"}})", R"({"n":1})"},
      {"a keyed list is replaced", R"({"conditions":[{"type":"A"},{"type":"B"}]})",
       R"({"conditions":[{"$patch":"replace"},{"type":"C"}]})", R"({"conditions":[{"type":"C"}]})"},
      {"primitives are deleted from a list", R"({"finalizers":["a","b"]})",
       R"({"$deleteFromPrimitiveList/finalizers":["a"]})", R"({"finalizers":["b"]})"},
      {"an order is accepted and not kept", R"({"conditions":[{"type":"A"}]})",
       R"({"$setElementOrder/conditions":[{"type":"A"}]})", R"({"conditions":[{"type":"A"}]})"},
      {"directives leave no trace in new objects", R"({})", R"({"a":{"b":{"$patch":"merge","c":1}}})",
       R"({"a":{"b":{"c":1}}})"},
  };
  for (const Vector& v : vectors) {
    INFO(v.what);
    Json target = json(v.target);
    REQUIRE(strategic_merge_patch(target, json(v.patch)));
    CHECK(target == json(v.result));
  }
}

TEST_CASE("Strategic merge patches that cannot be followed are refused by name") {
  const std::pair<const char*, const char*> vectors[] = {
      {R"({"$retainKeys":["a"]})", "$retainKeys"},
      {R"({"a":{"$patch":"turn"}})", "turn"},
      {R"({"schedulingGates":[{"$patch":"delete"}]})", "schedulingGates"},
      {R"({"schedulingGates":["muster.dev/hold"]})", "schedulingGates"},
      {R"([1])", "[1]"},
  };
  for (const auto& [patch, named] : vectors) {
    INFO(patch);
    Json target = json("{}");
    const auto refused = strategic_merge_patch(target, json(patch));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == 400);
    CHECK_THAT(refused.error().message, Catch::Contains(named));
  }
}

}  // namespace
}  // namespace muster::embedded
