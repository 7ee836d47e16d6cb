#include "objects.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace muster::plan_cases {
namespace {

std::string text(const Json& object, const char* pointer) {
  return object.value(Json::json_pointer(pointer), std::string());
}

Json list(const Json& object, const char* pointer) {
  return object.value(Json::json_pointer(pointer), Json::array());
}

std::string label(const Json& node, const std::string& key, bool& present) {
  const Json labels = node["metadata"].value("labels", Json::object());
  present = labels.contains(key);
  return present ? labels[key].get<std::string>() : "";
}

bool matches(const Json& node, const Json& requirement) {
  bool present = false;
  const std::string value = label(node, requirement.at("key"), present);
  const std::string op = requirement.at("operator");
  const auto values = requirement.value("values", std::vector<std::string>{});
  const bool among = std::find(values.begin(), values.end(), value) != values.end();
  if (op == "In") return present && among;
  if (op == "NotIn") return !present || !among;
  if (op == "Exists") return present;
  if (op == "DoesNotExist") return !present;
  throw std::invalid_argument("the witness does not know the operator " + op);
}

bool tolerates(const Json& pod, const Json& taint) {
  const Json tolerations = list(pod, "/spec/tolerations");
  return std::any_of(tolerations.begin(), tolerations.end(), [&](const Json& it) {
    const std::string effect = it.value("effect", "");
    const std::string key = it.value("key", "");
    if (!effect.empty() && effect != taint.at("effect")) return false;
    if (it.value("operator", "Equal") == "Exists") return key.empty() || key == taint.at("key");
    return key == taint.at("key") && it.value("value", "") == taint.value("value", "");
  });
}

}  // namespace

int64_t thousandths(const std::string& quantity) {
  static const std::map<std::string, double> units = {{"", 1e3},
                                                      {"m", 1},
                                                      {"k", 1e6},
                                                      {"M", 1e9},
                                                      {"G", 1e12},
                                                      {"Ki", 1e3 * 1024.},
                                                      {"Mi", 1e3 * 0x1p20},
                                                      {"Gi", 1e3 * 0x1p30},
                                                      {"Ti", 1e3 * 0x1p40}};
  std::size_t end = 0;
  const double number = std::stod(quantity, &end);
  const auto unit = units.find(quantity.substr(end));
  if (unit == units.end()) throw std::invalid_argument("the witness does not know the quantity " + quantity);
  return std::llround(number * unit->second);
}

Amounts room_of(const Json& node) {
  const Json& status = node["status"];
  Amounts room;
  for (const auto& [name, amount] :
       (status.contains("allocatable") ? status["allocatable"] : status["capacity"]).items())
    room[name] = thousandths(amount);
  return room;
}

Amounts demand_of(const Json& pod) {
  Amounts demand{{"pods", 1000}};
  for (const Json& container : list(pod, "/spec/containers")) {
    Json asked = map_at(container, "/resources/limits");
    asked.update(map_at(container, "/resources/requests"));
    for (const auto& [name, amount] : asked.items())
      demand[name] += thousandths(amount.is_string() ? amount.get<std::string>() : amount.dump());
  }
  return demand;
}

bool admits(const Json& node, const Json& pod) {
  if (node.value(Json::json_pointer("/spec/unschedulable"), false)) return false;
  for (const Json& condition : list(node, "/status/conditions")) {
    if (condition["type"] == "Ready" && condition["status"] != "True") return false;
  }
  for (const Json& taint : list(node, "/spec/taints")) {
    if (taint.at("effect") != "PreferNoSchedule" && !tolerates(pod, taint)) return false;
  }
  for (const auto& [key, value] : map_at(pod, "/spec/nodeSelector").items()) {
    bool present = false;
    if (label(node, key, present) != value || !present) return false;
  }
  const Json terms = list(
      pod, "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
  return terms.empty() || std::any_of(terms.begin(), terms.end(), [&](const Json& term) {
           const Json all = term.value("matchExpressions", Json::array());
           return !all.empty() &&
                  std::all_of(all.begin(), all.end(), [&](const Json& one) { return matches(node, one); });
         });
}

std::string annotation(const Json& pod, const std::string& key) {
  const Json all = pod["metadata"].value("annotations", Json::object());
  return all.value("muster.dev/" + key, std::string());
}

bool has_ended(const Json& pod) {
  const std::string phase = text(pod, "/status/phase");
  return phase == "Succeeded" || phase == "Failed";
}

bool waits(const Json& pod) {
  return !has_ended(pod) && text(pod, "/spec/nodeName").empty() &&
         !pod["metadata"].contains("deletionTimestamp");
}

}  // namespace muster::plan_cases
