#include "kube/decode.h"
#include "kube/decode_common.h"

namespace muster::kube {
namespace {

using Value = JsonReader::Value;

void read_metadata(JsonReader& reader, Value metadata, Node& node) {
  reader.each_field(metadata, [&](std::string_view key, Value value) {
    if (key == "name") {
      node.name = reader.text(value);
    } else if (key == "uid") {
      node.uid = reader.text(value);
    } else if (key == "resourceVersion") {
      node.resource_version = reader.text(value);
    } else if (key == "labels") {
      reader.each_field(
          value, [&](std::string_view label, Value text) { node.labels.set(label, reader.text(text)); });
    }
  });
}

Taint read_taint(JsonReader& reader, Value value) {
  Taint taint;
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "key") {
      taint.key = reader.text(field);
    } else if (key == "value") {
      taint.value = reader.text(field);
    } else if (key == "effect") {
      taint.effect = reader.text(field);
    }
  });
  return taint;
}

void read_spec(JsonReader& reader, Value spec, Node& node) {
  reader.each_field(spec, [&](std::string_view key, Value value) {
    if (key == "unschedulable") {
      node.unschedulable = reader.boolean(value);
    } else if (key == "taints") {
      reader.each_element(value, [&](Value taint) { node.taints.push_back(read_taint(reader, taint)); });
    }
  });
}

// Of a node without allocatable, which is rare: `capacity` is the text of the object.
Result<void> take_capacity(std::string_view capacity, Node& node) {
  QuantityList quantities;
  const auto read = read_document(capacity, [&](JsonReader& reader, std::string_view name, Value amount) {
    read_quantity(reader, name, amount, quantities);
  });
  if (!read) return invalid("status.capacity.{}", read.error().message);
  node.allocatable = quantities.rounded();
  return {};
}

// `capacity` becomes its text.
void read_status(JsonReader& reader, Value status, Node& node, std::string& capacity) {
  reader.each_field(status, [&](std::string_view key, Value value) {
    if (key == "allocatable") {
      node.allocatable = read_quantities(reader, value).rounded();
    } else if (key == "capacity" && !value.is_null()) {
      capacity = reader.raw_object(value);
    } else if (key == "conditions") {
      reader.each_element(value, [&](Value element) {
        const Condition condition = read_condition(reader, element);
        if (condition.type == "Ready") node.ready = condition.status == "True";
      });
    }
  });
}

}  // namespace

Result<Node> decode_node(std::string_view json) {
  Node node;
  node.ready = true;
  std::string capacity;
  const auto read = read_document(json, [&](JsonReader& reader, std::string_view key, Value value) {
    if (key == "kind") {
      check_kind(reader, value, "Node");
    } else if (key == "metadata") {
      read_metadata(reader, value, node);
    } else if (key == "spec") {
      read_spec(reader, value, node);
    } else if (key == "status") {
      read_status(reader, value, node, capacity);
    }
  });
  if (!read) return tl::unexpected(read.error());
  if (node.name.empty()) return invalid("metadata.name is missing");
  if (node.allocatable.empty() && !capacity.empty()) {
    if (auto taken = take_capacity(capacity, node); !taken) return tl::unexpected(taken.error());
  }
  return node;
}

}  // namespace muster::kube
