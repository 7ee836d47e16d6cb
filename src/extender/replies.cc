#include "extender/replies.h"

#include <algorithm>

#include "base/json_text.h"

namespace muster::extender {
namespace {

constexpr std::string_view kNames = R"({"Nodes":null,"NodeNames":[)";
constexpr std::string_view kNoneFailed = R"(],"FailedNodes":{},"FailedAndUnresolvableNodes":{},"Error":""})";
constexpr std::string_view kFailed = R"(],"FailedNodes":{},"FailedAndUnresolvableNodes":{)";
constexpr std::string_view kEnd = R"(},"Error":""})";

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

std::string Reply::text() const {
  std::string out;
  for (std::string_view piece : pieces) out += piece;
  return out + end;
}

std::string one_node_reply(std::string_view node) {
  std::string out(kNames);
  append_json_string(out, node);
  out += kNoneFailed;
  return out;
}

Reply all_nodes_reply(const NodeNames& names) {
  Reply out;
  out.pieces = {kNames, names.text()};
  out.end = kNoneFailed;
  return out;
}

Reply some_nodes_reply(const NodeNames& names, const ShortHosts& without, std::string_view reason) {
  std::string reason_json = json_string(reason);
  std::string_view text = names.text();
  Reply out;
  out.pieces = {kNames};
  std::string failed;
  std::size_t given = 0;  // what follows has neither been given nor left out
  auto give_until = [&](std::size_t end) {
    if (end <= given) return;
    if (out.pieces.size() > 1) out.pieces.emplace_back(",");
    out.pieces.push_back(text.substr(given, end - given));
  };
  names.for_each([&](std::string_view name) {
    if (!without.contains(name)) return;
    auto begin = static_cast<std::size_t>(name.data() - text.data()) - 1;  // its quote
    give_until(begin > 0 ? begin - 1 : 0);
    given = std::min(begin + name.size() + 3, text.size());
    failed += failed.empty() ? "\"" : ",\"";
    failed += name;
    failed += "\":";
    failed += reason_json;
  });
  give_until(text.size());
  out.gives_none = !failed.empty() && out.pieces.size() == 1;
  out.end.reserve(kFailed.size() + failed.size() + kEnd.size());
  out.end += kFailed;
  out.end += failed;
  out.end += kEnd;
  return out;
}

std::string no_node_reply(const NodeNames& names, std::string_view reason) {
  std::string reason_json = json_string(reason);
  std::string out;
  out.reserve(kNames.size() + kFailed.size() + kEnd.size() + names.text().size() +
              names.size() * (reason_json.size() + 2));
  out += kNames;
  out += kFailed;
  bool first = true;
  names.for_each([&](std::string_view name) {
    out += first ? "\"" : ",\"";
    first = false;
    out += name;
    out += "\":";
    out += reason_json;
  });
  out += kEnd;
  return out;
}

std::string error_reply(std::string_view message) { return R"({"Error":)" + json_string(message) + "}"; }

std::string preempt_reply(const std::vector<const Candidate*>& candidates) {
  std::string out = R"({"NodeNameToMetaVictims":{)";
  bool first = true;
  for (const Candidate* candidate : candidates) {
    if (!first) out += ',';
    first = false;
    out += '"';
    out += candidate->node;
    out += "\":";
    out += candidate->victims_json;
  }
  out += "}}";
  return out;
}

}  // namespace muster::extender
