// The credential of an exec plugin, kept fresh by a thread of its own: who needs it waits for the program
// only when there is nothing to use meanwhile.
//
// Thread rule: all functions from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "kube/exec_plugin.h"

namespace muster::kube {

// A credential is renewed so long before it expires.
inline constexpr Duration kExecLeeway{10'000};
// Between the end of a run and the beginning of the next: a plugin that fails, or whose credentials are
// refused, is not run for every call.
inline constexpr Duration kExecPause{5'000};

class ExecSource {
 public:
  using Run = std::function<Result<ExecCredential>(std::stop_token)>;

  // `run` is called on the source's thread and returns soon after its token says stop. `clock` must outlive
  // this.
  ExecSource(Run run, const Clock& clock);
  ~ExecSource() { stop(); }
  ExecSource(const ExecSource&) = delete;
  ExecSource& operator=(const ExecSource&) = delete;

  // The last credential, also an old one when the plugin gives no other; the plugin's error when there never
  // was one; kCancelled after stop() when it would have to wait. Waits for a run when there is none, it has
  // expired or was rejected, and the last run has ended kExecPause ago; else a run that is due goes on beside
  // the callers.
  [[nodiscard]] Result<ExecCredential> current();
  // The server does not take the last credential.
  void rejected();
  // Ends a run under way; nobody waits any more. Idempotent.
  void stop();

 private:
  void work(const std::stop_token& stop);
  void take(Result<ExecCredential> result);
  [[nodiscard]] bool usable(TimePoint now) const;
  [[nodiscard]] bool due(TimePoint now) const;

  const Run run_;
  const Clock& clock_;
  std::mutex mutex_;  // guards the rest
  std::condition_variable_any changed_;
  bool asked_ = false;  // for a run, until it has ended
  bool stopped_ = false;
  std::optional<ExecCredential> credential_;
  bool rejected_ = false;
  std::optional<TimePoint> due_;      // nothing: only after a rejection
  std::optional<TimePoint> expires_;  // nothing: never
  std::optional<TimePoint> ended_;    // the last run
  Error failure_;                     // while there is no credential
  std::jthread thread_;               // last: it uses the others
};

}  // namespace muster::kube
