// What a connection to the API server needs, kept fresh: token, certificate and CA files are read again when
// they may have been rotated, an exec plugin is run again before its credential expires, on a thread of its
// own.
//
// Thread rule: all functions may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"
#include "kube/access.h"
#include "kube/exec_source.h"

namespace muster::kube {

class Credentials {
 public:
  // The kubelet rotates a token at 80 % of its life, of which there are at least ten minutes.
  static constexpr Duration kReadAgainAfter{60'000};

  // `clock` must outlive this.
  Credentials(Access access, const Clock& clock, std::function<Result<std::string>(const std::string&)> read);

  struct Current {
    // Another pointer than last time: CA, certificate or key have changed, and connections must be made anew.
    std::shared_ptr<const http::ClientOptions> transport;
    std::string token;  // empty: no Authorization header
  };
  // Reads files again at most once a minute. When a file cannot be read, what was read before stays in use;
  // the error is returned only when there is nothing before. Waits for a plugin only when there is nothing to
  // use meanwhile.
  [[nodiscard]] Result<Current> current();

  // The server answered 401 to a call with this token: the next current() reads the files again,
  // or runs the plugin.
  void rejected(const std::string& token);

  // Ends a plugin that runs, and who waits for it. What is known stays in use. Idempotent.
  void stop();

  [[nodiscard]] const Access& access() const { return access_; }

 private:
  [[nodiscard]] bool due(TimePoint now) const {
    return stale_ || !read_at_ || now - *read_at_ >= kReadAgainAfter;
  }
  Result<void> refresh();
  Result<void> refresh_token();
  Result<void> refresh_transport();
  [[nodiscard]] Result<std::string> content(const Secret& secret) const;

  const Access access_;
  const Clock& clock_;
  const std::function<Result<std::string>(const std::string&)> read_;

  std::mutex mutex_;  // guards everything below
  std::optional<TimePoint> read_at_;
  bool stale_ = false;
  std::shared_ptr<const http::ClientOptions> transport_;
  std::string token_;
  ExecCredential from_plugin_;

  std::unique_ptr<ExecSource> plugin_;  // null without one; has a mutex of its own
};

}  // namespace muster::kube
