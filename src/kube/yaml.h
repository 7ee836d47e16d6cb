// YAML → JSON text, so that one decoder serves the API server's JSON and the manifests people write.
//
// Scalars mean what kubectl makes of them (YAML 1.1): yes, off, y and n are booleans, 010 is eight, 0x10 is
// sixteen; quoted and block scalars stay texts. Anchors, aliases and merge keys (<<) are resolved. Times stay
// texts.
//
// Pure functions: every thread may call them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace muster::kube {

struct YamlDocument {
  std::string json;
  int line = 1;  // where it begins, counted from 1
};

struct YamlObject {
  std::string kind;  // empty when the object has none
  std::string json;
  int line = 1;
};

// Every document of the text that is not empty. kInvalid begins with "source:line:column: "; besides
// malformed YAML these are refused: a key that occurs twice in one map, keys that are not scalars, nesting
// deeper than 100, numbers JSON does not have (.nan), tags beyond YAML's own, and documents whose aliases
// multiply. Values are not shown, but for numbers JSON does not have: they may be secrets.
[[nodiscard]] Result<std::vector<YamlDocument>> yaml_to_json(std::string_view text, std::string_view source);

// Like yaml_to_json, but every document must be a map, and a list as kubectl prints it (kind List, NodeList,
// …) is replaced by its items; an item without a kind gets the list's ("NodeList" → "Node").
[[nodiscard]] Result<std::vector<YamlObject>> yaml_to_objects(std::string_view text, std::string_view source);

}  // namespace muster::kube
