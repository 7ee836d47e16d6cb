#include "kube/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace muster::kube {
namespace {

constexpr std::size_t kMaxNameLength = 63;
constexpr std::size_t kMaxPrefixLength = 253;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alphanumeric(char c) { return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z'); }

// 1 to 63 of [A-Za-z0-9_.-], alphanumeric at both ends.
bool is_label_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameLength) return false;
  if (!is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_label_value(std::string_view text) { return text.empty() || is_label_name(text); }

bool is_dns_label(std::string_view text) {
  const auto is_inner = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), is_inner);
}

bool is_dns_subdomain(std::string_view text) {
  if (text.size() > kMaxPrefixLength) return false;
  for (;;) {
    const auto dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_label_key(std::string_view key) {
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return is_label_name(key);
  return is_dns_subdomain(key.substr(0, slash)) && is_label_name(key.substr(slash + 1));
}

// As Go's ParseInt in base 10: a sign and leading zeros are allowed, 64 bits at most.
std::optional<int64_t> to_int64(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && is_digit(text[1])) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool has(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Kubernetes drops a whole term, not only the requirement, when one of its requirements is malformed.
bool is_well_formed_for_labels(const SelectorRequirement& requirement) {
  const auto& values = requirement.values;
  if (!is_label_key(requirement.key)) return false;
  if (!std::all_of(values.begin(), values.end(), is_label_value)) return false;
  if (requirement.op == "In" || requirement.op == "NotIn") return !values.empty();
  if (requirement.op == "Exists" || requirement.op == "DoesNotExist") return values.empty();
  if (requirement.op == "Gt" || requirement.op == "Lt") return values.size() == 1 && to_int64(values[0]);
  return false;
}

bool is_well_formed_for_fields(const SelectorRequirement& requirement) {
  return (requirement.op == "In" || requirement.op == "NotIn") && requirement.values.size() == 1;
}

bool compares(const std::string& op, const std::string& left, const std::string& right) {
  const auto l = to_int64(left);
  const auto r = to_int64(right);
  return l && r && (op == "Gt" ? *l > *r : *l < *r);
}

bool holds_for_labels(const SelectorRequirement& requirement, const Labels& labels) {
  const std::string* value = labels.find(requirement.key);
  const bool present = value != nullptr;
  if (requirement.op == "In") return present && has(requirement.values, *value);
  if (requirement.op == "NotIn") return !present || !has(requirement.values, *value);
  if (requirement.op == "Exists") return present;
  if (requirement.op == "DoesNotExist") return !present;
  return present && compares(requirement.op, *value, requirement.values[0]);
}

bool holds_for_fields(const SelectorRequirement& requirement, const Node& node) {
  const std::string_view actual = requirement.key == "metadata.name" ? node.name : std::string_view{};
  return (actual == requirement.values[0]) == (requirement.op == "In");
}

bool holds(const NodeSelectorTerm& term, const Node& node) {
  if (term.labels.empty() && term.fields.empty()) return false;
  if (!std::all_of(term.labels.begin(), term.labels.end(), is_well_formed_for_labels)) return false;
  if (!std::all_of(term.fields.begin(), term.fields.end(), is_well_formed_for_fields)) return false;
  return std::all_of(term.labels.begin(), term.labels.end(),
                     [&](const auto& requirement) { return holds_for_labels(requirement, node.labels); }) &&
         std::all_of(term.fields.begin(), term.fields.end(),
                     [&](const auto& requirement) { return holds_for_fields(requirement, node); });
}

// Digits as a person writes them: an optional minus, no leading zeros. Tolerations are stricter than labels.
bool is_plain_integer(std::string_view text) {
  if (!text.empty() && text.front() == '-') {
    text.remove_prefix(1);
    if (text == "0") return false;
  }
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
  return std::all_of(text.begin(), text.end(), is_digit);
}

bool tolerated(const NodeSet& set, const Taint& taint) {
  return std::any_of(set.tolerations.begin(), set.tolerations.end(),
                     [&](const Toleration& toleration) { return tolerates(toleration, taint); });
}

bool keeps_pods_away(const Taint& taint) {
  return taint.effect == "NoSchedule" || taint.effect == "NoExecute";
}

}  // namespace

bool tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
  if (!toleration.key.empty() && toleration.key != taint.key) return false;
  if (toleration.op.empty() || toleration.op == "Equal") return toleration.value == taint.value;
  if (toleration.op == "Exists") return true;
  if (toleration.op != "Gt" && toleration.op != "Lt") return false;
  return is_plain_integer(taint.value) && is_plain_integer(toleration.value) &&
         compares(toleration.op, taint.value, toleration.value);
}

bool selects(const NodeSet& set, const Node& node) {
  for (const auto& [key, value] : set.node_selector) {
    const std::string* actual = node.labels.find(key);
    if (actual == nullptr || *actual != value) return false;
  }
  if (!set.required_affinity) return true;
  return std::any_of(set.required_affinity->begin(), set.required_affinity->end(),
                     [&](const NodeSelectorTerm& term) { return holds(term, node); });
}

std::optional<WhyNot> why_not(const NodeSet& set, const Node& node) {
  if (!selects(set, node)) return WhyNot{Mismatch::kSelector, {}};
  if (node.unschedulable && !tolerated(set, {std::string(kTaintUnschedulable), "", "NoSchedule"}))
    return WhyNot{Mismatch::kUnschedulable, {}};
  if (!node.ready) return WhyNot{Mismatch::kNotReady, {}};
  for (const auto& taint : node.taints) {
    if (keeps_pods_away(taint) && !tolerated(set, taint)) return WhyNot{Mismatch::kTaint, taint};
  }
  return std::nullopt;
}

bool matches(const NodeSet& set, const Node& node) { return !why_not(set, node); }

std::string describe(const WhyNot& why) {
  switch (why.reason) {
    case Mismatch::kSelector:
      return "node selector";
    case Mismatch::kUnschedulable:
      return "unschedulable";
    case Mismatch::kNotReady:
      return "not ready";
    case Mismatch::kTaint:
      return why.taint.value.empty()
                 ? fmt::format("taint {}:{}", why.taint.key, why.taint.effect)
                 : fmt::format("taint {}={}:{}", why.taint.key, why.taint.value, why.taint.effect);
  }
  return "unknown";
}

}  // namespace muster::kube
