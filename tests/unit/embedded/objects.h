// Objects and a store with a fixed clock and counted uids, for the tests of the embedded API.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "embedded/rest.h"
#include "embedded/store.h"

namespace muster::embedded::test {

inline constexpr const char* kNow = "2030-01-02T03:04:05Z";

inline StoreOptions store_options(std::size_t log_length = 1000, std::size_t max_events = 1000) {
  StoreOptions options;
  options.now = [] { return std::string(kNow); };
  options.new_uid = [n = 0]() mutable { return "uid-" + std::to_string(++n); };
  options.log_length = log_length;
  options.max_events = max_events;
  return options;
}

inline Json object_named(const std::string& name) { return Json{{"metadata", {{"name", name}}}}; }

inline Json pod_named(const std::string& name) {
  return Json{
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata", {{"name", name}}},
      {"spec", {{"schedulerName", "muster"}, {"containers", {{{"name", "main"}, {"image", "none"}}}}}}};
}

inline Json member_named(const std::string& name, const std::string& group) {
  Json pod = pod_named(name);
  pod["metadata"]["annotations"]["muster.dev/group-name"] = group;
  return pod;
}

// A store behind its REST interface, called like an HTTP server.
struct Api {
  Store store{store_options()};
  Rest rest{store, AdmissionOptions{}, [] { return std::string(kNow); }};

  Reply call(const std::string& method, const std::string& path, const Json& body = nullptr,
             const std::string& content_type = "application/json", const Json& query = Json::object()) const {
    return raw(method, path, body.is_null() ? "" : body.dump(), content_type, query);
  }

  Reply raw(const std::string& method, const std::string& path, const std::string& body,
            const std::string& content_type = "application/json", const Json& query = Json::object()) const {
    const auto parameter = [query](std::string_view name) { return query.value(std::string(name), ""); };
    return rest.handle(Call{method, path, content_type, body, parameter});
  }

  Reply merge(const std::string& path, const Json& body) const {
    return call("PATCH", path, body, "application/merge-patch+json");
  }
  Reply strategic(const std::string& path, const Json& body) const {
    return call("PATCH", path, body, "application/strategic-merge-patch+json");
  }
};

inline const std::string kPods = "/api/v1/namespaces/default/pods";

// Checks that a reply is a Status object with this code and reason, and returns its message.
inline std::string failure_message(const Reply& reply, int code, const std::string& reason) {
  CHECK(reply.code == code);
  CHECK(text_at(reply.body, {"kind"}) == "Status");
  CHECK(text_at(reply.body, {"status"}) == "Failure");
  CHECK(text_at(reply.body, {"reason"}) == reason);
  CHECK(at_path(reply.body, {"code"}) == code);
  return text_at(reply.body, {"message"});
}

}  // namespace muster::embedded::test
