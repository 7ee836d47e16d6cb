// What the decoders of pods and nodes share. Internal to src/kube.
#pragma once

#include <string>
#include <string_view>

#include "kube/json_reader.h"
#include "kube/pod_requests.h"
#include "kube/types.h"

namespace muster::kube {

// {"cpu": "1", …}; quantities may be numbers, as in hand-written YAML.
QuantityList read_quantities(JsonReader& reader, JsonReader::Value value);

// One entry of such a list; null is none.
void read_quantity(JsonReader& reader, std::string_view name, JsonReader::Value amount, QuantityList& list);

StringMap read_string_map(JsonReader& reader, JsonReader::Value value);

struct Condition {
  std::string_view type;
  std::string_view status;
  std::string_view reason;
  std::string_view message;
};
Condition read_condition(JsonReader& reader, JsonReader::Value value);

// Fails at the current place when the kind is neither missing nor the expected one.
void check_kind(JsonReader& reader, JsonReader::Value value, std::string_view expected);

}  // namespace muster::kube
