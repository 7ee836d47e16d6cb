#include "extender/codec.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "extender/json_walk.h"
#include "extender/pod_identity.h"

namespace muster::extender {
namespace {

using nlohmann::json;

constexpr std::string_view kNotCacheCapable =
    "set nodeCacheCapable: true for this extender in the KubeSchedulerConfiguration";

Error with_verb(const char* verb, Error error) {
  error.message = fmt::format("{}: {}", verb, error.message);
  return error;
}

// Names written in another way than kube-scheduler writes them, brought into its form.
Result<std::shared_ptr<const std::string>> rewrite_names(std::string_view list) {
  json names = json::parse(list, nullptr, false);
  if (names.is_discarded()) return invalid("NodeNames is not JSON: {}", muster::quoted(list));
  auto text = std::make_shared<std::string>();
  text->reserve(list.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const json& name = names[i];
    std::string shown = name.is_string() ? name.get<std::string>() : std::string();
    if (!name.is_string()) {
      return invalid("NodeNames[{}] is {}, not a string", i,
                     muster::quoted(name.dump(-1, ' ', false, json::error_handler_t::replace)));
    }
    if (!NodeNames::from_plain("\"" + shown + "\"")) {
      return invalid("NodeNames[{}] is {}, which names no node", i, muster::quoted(shown));
    }
    if (i > 0) *text += ',';
    *text += '"';
    *text += shown;
    *text += '"';
  }
  return std::shared_ptr<const std::string>(std::move(text));
}

// Reads the list at `begin` and returns its end.
Result<std::size_t> read_names(std::string_view body, std::size_t begin, FilterCall& out) {
  if (body[begin] != '[') {
    auto end = value_end(body, begin);
    if (!end) return end;
    return invalid("NodeNames is {}, not a list of names", muster::quoted(body.substr(begin, *end - begin)));
  }
  // The first closing bracket ends the list unless it stands in a string, and then the text is not plain.
  std::size_t bracket = body.find(']', begin);
  if (bracket != std::string_view::npos) {
    if (auto plain = NodeNames::from_plain(body.substr(begin + 1, bracket - begin - 1))) {
      out.names = *plain;
      return bracket + 1;
    }
  }
  auto end = value_end(body, begin);
  if (!end) return end;
  auto text = rewrite_names(body.substr(begin, *end - begin));
  if (!text) return tl::unexpected(text.error());
  out.names_rewritten = *std::move(text);
  out.names = NodeNames::from_plain(*out.names_rewritten).value();
  return end;
}

struct FilterFields {
  bool names = false;
  bool nodes = false;
};

Result<void> walk_filter_call(std::string_view body, FilterCall& out, FilterFields& seen) {
  return walk_object(body, [&](std::string_view key, std::string_view text, std::size_t begin) {
    bool null = text.substr(begin).starts_with("null");
    if (key == "NodeNames" && !null) {
      seen.names = true;
      return read_names(text, begin, out);
    }
    auto end = value_end(text, begin);
    if (!end || null) return end;
    if (key == "Pod") out.pod_json = text.substr(begin, *end - begin);
    if (key == "Nodes") seen.nodes = true;
    return end;
  });
}

Result<FilterCall> filter_call(std::string_view body) {
  FilterCall out;
  FilterFields seen;
  if (auto walked = walk_filter_call(body, out, seen); !walked) return tl::unexpected(walked.error());
  if (out.pod_json.empty()) return invalid("Pod is missing");
  if (!seen.names && seen.nodes) return invalid("Nodes instead of NodeNames: {}", kNotCacheCapable);
  if (!seen.names) return invalid("NodeNames is missing");
  auto pod = read_pod_identity(out.pod_json);
  if (!pod) return tl::unexpected(pod.error());
  out.pod = *std::move(pod);
  return out;
}

std::string* field_of(BindCall& call, std::string_view key) {
  if (key == "PodName") return &call.name;
  if (key == "PodNamespace") return &call.ns;
  if (key == "PodUID") return &call.uid;
  if (key == "Node") return &call.node;
  return nullptr;
}

Result<BindCall> bind_call(std::string_view body) {
  BindCall out;
  auto walked = walk_object(body, [&](std::string_view key, std::string_view text, std::size_t begin) {
    auto end = value_end(text, begin);
    std::string* field = field_of(out, key);
    if (!end || field == nullptr) return end;
    auto value = string_value(text.substr(begin, *end - begin), key);
    if (!value) return Result<std::size_t>(tl::unexpected(value.error()));
    *field = *std::move(value);
    return end;
  });
  if (!walked) return tl::unexpected(walked.error());
  for (std::string_view key : {"PodName", "PodNamespace", "PodUID", "Node"}) {
    if (field_of(out, key)->empty()) return invalid("{} is missing", key);
  }
  return out;
}

// {"Pods":[{"UID":"…"}],"NumPDBViolations":0}; a nil slice of Go is null.
Result<std::vector<std::string>> victim_uids(std::string_view text, std::string_view node) {
  json victims = json::parse(text, nullptr, false);
  std::string field = fmt::format("NodeNameToMetaVictims[{}]", node);
  if (!victims.is_object()) return invalid("{} is {}, not an object", field, muster::quoted(text));
  std::vector<std::string> out;
  auto pods = victims.find("Pods");
  if (pods == victims.end() || pods->is_null()) return out;
  if (!pods->is_array()) return invalid("{}.Pods is {}, not a list", field, muster::quoted(pods->dump()));
  for (const json& pod : *pods) {
    auto uid = pod.is_object() ? pod.find("UID") : pod.end();
    if (!pod.is_object() || uid == pod.end() || !uid->is_string()) {
      return invalid("{}.Pods[{}] is {}, without a UID that is a string", field, out.size(),
                     muster::quoted(pod.dump(-1, ' ', false, json::error_handler_t::replace)));
    }
    out.push_back(uid->get<std::string>());
  }
  return out;
}

Result<void> read_candidates(std::string_view object, PreemptCall& out) {
  return walk_object(object, [&](std::string_view key, std::string_view text, std::size_t begin) {
    auto end = value_end(text, begin);
    if (!end) return end;
    Candidate candidate;
    candidate.node = key;
    candidate.victims_json = text.substr(begin, *end - begin);
    auto uids = victim_uids(candidate.victims_json, key);
    if (!uids) return Result<std::size_t>(tl::unexpected(uids.error()));
    candidate.victim_uids = *std::move(uids);
    out.candidates.push_back(std::move(candidate));
    return end;
  });
}

Result<PreemptCall> preempt_call(std::string_view body) {
  std::string_view pod_json;
  std::string_view meta;
  bool whole_pods = false;
  auto walked = walk_object(body, [&](std::string_view key, std::string_view text, std::size_t begin) {
    auto end = value_end(text, begin);
    if (!end) return end;
    std::string_view value = text.substr(begin, *end - begin);
    if (is_null(value)) return end;
    if (key == "Pod") pod_json = value;
    if (key == "NodeNameToMetaVictims") meta = value;
    if (key == "NodeNameToVictims") whole_pods = true;
    return end;
  });
  if (!walked) return tl::unexpected(walked.error());
  if (pod_json.empty()) return invalid("Pod is missing");
  if (meta.empty() && whole_pods) {
    return invalid("NodeNameToVictims instead of NodeNameToMetaVictims: {}", kNotCacheCapable);
  }
  if (meta.empty()) return invalid("NodeNameToMetaVictims is missing");
  auto pod = read_pod_identity(pod_json);
  if (!pod) return tl::unexpected(pod.error());
  PreemptCall out;
  out.pod = *std::move(pod);
  if (!meta.starts_with('{'))
    return invalid("NodeNameToMetaVictims is {}, not an object", muster::quoted(meta));
  if (auto read = read_candidates(meta, out); !read) return tl::unexpected(read.error());
  return out;
}

}  // namespace

Result<FilterCall> read_filter_call(std::string_view body) {
  return filter_call(body).map_error([](Error error) { return with_verb("filter", std::move(error)); });
}

Result<BindCall> read_bind_call(std::string_view body) {
  return bind_call(body).map_error([](Error error) { return with_verb("bind", std::move(error)); });
}

Result<PreemptCall> read_preempt_call(std::string_view body) {
  return preempt_call(body).map_error([](Error error) { return with_verb("preempt", std::move(error)); });
}

}  // namespace muster::extender
