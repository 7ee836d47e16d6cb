// JSON of nodes, lists and events as an API server sends them, and credentials for a fake server.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/credentials.h"

namespace muster::kube::test {

inline std::string node(const std::string& name, int version, const std::string& rack = "r1",
                        const std::string& uid = "") {
  return fmt::format(
      R"({{"kind":"Node","apiVersion":"v1","metadata":{{"name":"{}","uid":"{}","resourceVersion":"{}","labels":{{"rack":"{}"}}}},"spec":{{}},"status":{{"allocatable":{{"cpu":"8"}}}}}})",
      name, uid.empty() ? "uid-" + name : uid, version, rack);
}

inline std::string list(int version, const std::vector<std::string>& items,
                        const std::string& continue_token = "") {
  return fmt::format(
      R"({{"kind":"NodeList","apiVersion":"v1","metadata":{{"resourceVersion":"{}","continue":"{}"}},"items":[{}]}})",
      version, continue_token, fmt::join(items, ","));
}

inline std::string event(const std::string& type, const std::string& object) {
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
}

inline std::string bookmark(int version) {
  return event("BOOKMARK",
               fmt::format(R"({{"kind":"Node","metadata":{{"resourceVersion":"{}"}}}})", version));
}

inline std::string end_of_initial_events(int version) {
  return event(
      "BOOKMARK",
      fmt::format(
          R"({{"kind":"Node","metadata":{{"resourceVersion":"{}","annotations":{{"k8s.io/initial-events-end":"true"}}}}}})",
          version));
}

inline std::string status(int code, const std::string& reason, const std::string& message,
                          const std::string& details = "{}") {
  return fmt::format(
      R"({{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{}","reason":"{}","details":{},"code":{}}})",
      message, reason, details, code);
}

inline std::shared_ptr<Credentials> credentials_for(const std::string& url, const Clock& clock,
                                                    const std::string& token = "") {
  Access access;
  access.server = url;
  access.token.value = token;
  return std::make_shared<Credentials>(access, clock, read_file);
}

}  // namespace muster::kube::test
