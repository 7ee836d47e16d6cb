#include "extender/codec.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

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

// Where the list that begins at `begin` ends if it is the last value of the body, as kube-scheduler writes
// it: known without a look at what is in it. Nothing when the body's end does not look like that.
std::optional<std::size_t> end_of_last_list(std::string_view body, std::size_t begin) {
  std::size_t brace = body.find_last_not_of(" \n\t\r");
  bool ends_so =
      brace != std::string_view::npos && brace > begin + 1 && body[brace] == '}' && body[brace - 1] == ']';
  if (!ends_so || body[begin] != '[') return std::nullopt;
  return brace;
}

struct FilterFields {
  bool names = false;
  bool nodes = false;
};

Result<FilterFields> walk_filter_call(std::string_view body, FilterHead& out) {
  FilterFields seen;
  auto walked = walk_object(body, [&](std::string_view written, std::string_view text, std::size_t begin) {
    std::string storage;
    std::string_view key = unescaped_key(written, storage);
    bool null = text.substr(begin).starts_with("null");
    bool names = key == "NodeNames" && !null;
    bool may_guess = names && out.guessed && !out.pod_json.empty();
    auto guess = may_guess ? end_of_last_list(text, begin) : std::nullopt;
    auto end = guess ? Result<std::size_t>(*guess) : value_end(text, begin);
    if (!end || null) return end;
    std::string_view value = text.substr(begin, *end - begin);
    if (names) out.list = value;
    if (key == "Pod") out.pod_json = value;
    seen.names = seen.names || names;
    seen.nodes = seen.nodes || key == "Nodes";
    return end;
  });
  if (!walked) return tl::unexpected(walked.error());
  return seen;
}

// guess: the list of names is taken to go to the body's end. What is told by a plain list of names alone.
Result<FilterHead> filter_head(std::string_view body, bool guess) {
  FilterHead out;
  out.body = body;
  out.guessed = guess;
  auto seen = walk_filter_call(body, out);
  if (!seen) return tl::unexpected(seen.error());
  if (out.pod_json.empty()) return invalid("Pod is missing");
  if (!seen->names && seen->nodes) return invalid("Nodes instead of NodeNames: {}", kNotCacheCapable);
  if (!seen->names) return invalid("NodeNames is missing");
  if (!out.list.starts_with('[')) {
    return invalid("NodeNames is {}, not a list of names", muster::quoted(out.list));
  }
  auto pod = read_pod_identity(out.pod_json);
  if (!pod) return tl::unexpected(pod.error());
  out.pod = *std::move(pod);
  return out;
}

Result<Offer> offer(const FilterHead& head, std::string_view wanted) {
  Offer out;
  if (auto plain = NodeNames::from_plain(head.list.substr(1, head.list.size() - 2), wanted, out.has_wanted)) {
    out.names = *plain;
    return out;
  }
  if (head.guessed) {
    // Another form, or other keys behind the list.
    auto exact = filter_head(head.body, false);
    return exact ? offer(*exact, wanted) : Result<Offer>(tl::unexpected(exact.error()));
  }
  auto text = rewrite_names(head.list);
  if (!text) return tl::unexpected(text.error());
  out.rewritten = *std::move(text);
  out.names = NodeNames::from_plain(*out.rewritten, wanted, out.has_wanted).value();
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
  auto walked = walk_object(body, [&](std::string_view written, std::string_view text, std::size_t begin) {
    std::string storage;
    std::string_view key = unescaped_key(written, storage);
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
  auto walked = walk_object(body, [&](std::string_view written, std::string_view text, std::size_t begin) {
    std::string storage;
    std::string_view key = unescaped_key(written, storage);
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

Result<FilterHead> read_filter_head(std::string_view body) {
  return filter_head(body, true).map_error([](Error error) { return with_verb("filter", std::move(error)); });
}

Result<Offer> read_offer(const FilterHead& head, std::string_view wanted) {
  return offer(head, wanted).map_error([](Error error) { return with_verb("filter", std::move(error)); });
}

Result<BindCall> read_bind_call(std::string_view body) {
  return bind_call(body).map_error([](Error error) { return with_verb("bind", std::move(error)); });
}

Result<PreemptCall> read_preempt_call(std::string_view body) {
  return preempt_call(body).map_error([](Error error) { return with_verb("preempt", std::move(error)); });
}

}  // namespace muster::extender
