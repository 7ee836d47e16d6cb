#include "kube/encode.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/pod_keys.h"

namespace muster::kube {
namespace {

using Json = nlohmann::json;

// Texts come from other people's objects: what is no UTF-8 must not throw.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// The API server refuses a patch or a binding whose uid or version is not the pod's.
Json preconditions(const PodRef& pod) {
  Json fields = Json::object();
  if (!pod.uid.empty()) fields["uid"] = pod.uid;
  if (!pod.version.empty()) fields["resourceVersion"] = pod.version;
  return fields;
}

Json delete_options(const PodRef& pod, bool at_once) {
  Json options = Json::object();
  if (Json fields = preconditions(pod); !fields.empty()) options["preconditions"] = std::move(fields);
  if (at_once) options["gracePeriodSeconds"] = 0;
  return options;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string pod_path(std::string_view ns, std::string_view name, std::string_view subresource) {
  std::string path = fmt::format("/api/v1/namespaces/{}/pods/{}", percent_encoded(ns), percent_encoded(name));
  if (!subresource.empty()) path += fmt::format("/{}", subresource);
  return path;
}

std::string event_path(std::string_view ns) {
  return fmt::format("/api/v1/namespaces/{}/events", percent_encoded(ns));
}

std::string nominate_patch(const PodRef& pod, const std::string& node, const std::string& plan) {
  Json metadata = preconditions(pod);
  metadata["annotations"] = {{keys::kPlan, text_or_null(plan)}};
  return text_of({{"metadata", metadata}, {"status", {{"nominatedNodeName", text_or_null(node)}}}});
}

std::string release_patch(const PodRef& pod) {
  const Json gate = {{"$patch", "delete"}, {"name", keys::kHold}};
  return text_of({{"metadata", preconditions(pod)}, {"spec", {{"schedulingGates", Json::array({gate})}}}});
}

std::string binding(const PodRef& pod, const std::string& node, const StringMap& annotations) {
  Json metadata = preconditions(pod);
  metadata["name"] = pod.name;
  metadata["namespace"] = pod.ns;
  if (!annotations.empty()) metadata["annotations"] = annotations;
  return text_of({{"apiVersion", "v1"},
                  {"kind", "Binding"},
                  {"metadata", metadata},
                  {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}});
}

std::string eviction(const PodRef& pod, bool at_once) {
  Json body = {{"apiVersion", "policy/v1"},
               {"kind", "Eviction"},
               {"metadata", {{"name", pod.name}, {"namespace", pod.ns}}}};
  if (Json options = delete_options(pod, at_once); !options.empty()) body["deleteOptions"] = options;
  return text_of(body);
}

std::string deletion(const PodRef& pod, bool at_once) {
  Json body = delete_options(pod, at_once);
  body["apiVersion"] = "v1";
  body["kind"] = "DeleteOptions";
  return text_of(body);
}

std::string mark_patch(const PodRef& pod, const std::string& why) {
  Json metadata = preconditions(pod);
  metadata["annotations"] = {{keys::kLetGo, why}};
  return text_of({{"metadata", metadata}});
}

std::string ready_patch(const PodRef& pod, bool ready, std::chrono::system_clock::time_point now) {
  const Json condition = {{"type", keys::kGroupReady},
                          {"status", ready ? "True" : "False"},
                          {"reason", ready ? "GroupIsWhole" : "GroupIsBroken"},
                          {"lastTransitionTime", format_time(now)}};
  return text_of({{"metadata", preconditions(pod)}, {"status", {{"conditions", Json::array({condition})}}}});
}

std::string event(const EventRecord& record, const std::string& name, const EventSource& source,
                  std::chrono::system_clock::time_point now) {
  const std::string time = format_time(now);
  Json body = {{"apiVersion", "v1"},
               {"kind", "Event"},
               {"metadata", {{"name", name}, {"namespace", record.pod.ns}}},
               {"involvedObject",
                {{"apiVersion", "v1"},
                 {"kind", "Pod"},
                 {"namespace", record.pod.ns},
                 {"name", record.pod.name},
                 {"uid", record.pod.uid}}},
               {"reason", record.reason},
               {"message", std::string(cut(record.message, kMaxEventMessage))},
               {"type", record.warning ? "Warning" : "Normal"},
               {"count", 1},
               {"firstTimestamp", time},
               {"lastTimestamp", time},
               {"source", {{"component", source.component}, {"host", source.instance}}},
               {"reportingComponent", source.component},
               {"reportingInstance", source.instance}};
  return text_of(body);
}

std::string_view cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) --end;
  return text.substr(0, end);
}

std::string format_time(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace muster::kube
