// Keep-alive connections to the API server, one for each call under way, with credentials that are fresh.
//
// Thread rule: call() may be called from any number of threads at once and blocks; stop() ends them all.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/client.h"
#include "kube/credentials.h"

namespace muster::kube {

class Connections {
 public:
  // Keeps at most `idle_limit` connections for later calls. `timeout` replaces the transport's own, for
  // connecting and for reading.
  Connections(std::shared_ptr<Credentials> credentials, std::size_t idle_limit,
              std::optional<std::chrono::milliseconds> timeout = std::nullopt);

  // One HTTP call. A 401 is repeated once when the credentials have changed by then. Any other status is a
  // Reply; errors are kUnavailable, kCancelled after stop(), and kInvalid when there are no usable
  // credentials.
  [[nodiscard]] Result<http::Reply> call(std::string_view method, const std::string& path,
                                         std::string_view body, std::string_view content_type);

  // Calls under way and all later ones return kCancelled. Idempotent.
  void stop();

 private:
  using Transport = std::shared_ptr<const http::ClientOptions>;
  struct Connection {
    std::unique_ptr<http::Client> http;
    Transport made_with;
  };

  Result<http::Reply> call_with(const Credentials::Current& credentials, std::string_view method,
                                const std::string& path, std::string_view body,
                                std::string_view content_type);
  [[nodiscard]] Result<Connection> borrow(const Transport& transport);
  void give_back(Connection connection, bool reusable);

  const std::shared_ptr<Credentials> credentials_;
  const std::size_t idle_limit_;
  const std::optional<std::chrono::milliseconds> timeout_;
  std::mutex mutex_;              // guards the rest
  Transport transport_;           // of the last call: one that is made with another is not kept
  std::vector<Connection> idle_;  // made with it
  std::set<http::Client*> busy_;
  bool stopped_ = false;
};

// "Accept: application/json" and the bearer token, if there is one.
[[nodiscard]] http::Headers headers_with(const std::string& token);

}  // namespace muster::kube
