#include "extender/replies.h"

#include "base/json_text.h"

namespace muster::extender {
namespace {

constexpr std::string_view kNames = R"({"Nodes":null,"NodeNames":[)";
constexpr std::string_view kNoneFailed = R"(],"FailedNodes":{},"FailedAndUnresolvableNodes":{},"Error":""})";
constexpr std::string_view kFailed = R"(],"FailedNodes":{},"FailedAndUnresolvableNodes":{)";
constexpr std::string_view kEnd = R"(},"Error":""})";

void append_name(std::string& list, std::string_view name) {
  if (!list.empty()) list += ',';
  list += '"';
  list += name;
  list += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

std::string one_node_reply(std::string_view node) {
  std::string out(kNames);
  append_json_string(out, node);
  out += kNoneFailed;
  return out;
}

std::string all_nodes_reply(const NodeNames& names) {
  std::string out;
  out.reserve(kNames.size() + names.text().size() + kNoneFailed.size());
  out += kNames;
  out += names.text();
  out += kNoneFailed;
  return out;
}

std::string some_nodes_reply(const NodeNames& names, const std::function<bool(std::string_view)>& failed,
                             std::string_view reason) {
  std::string reason_json = json_string(reason);
  std::string good;
  std::string bad;
  good.reserve(names.text().size());
  names.for_each([&](std::string_view name) {
    if (!failed(name)) return append_name(good, name);
    append_name(bad, name);
    bad += ':';
    bad += reason_json;
  });
  std::string out;
  out.reserve(kNames.size() + good.size() + kFailed.size() + bad.size() + kEnd.size());
  out += kNames;
  out += good;
  out += kFailed;
  out += bad;
  out += kEnd;
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
