#include "kube/exec_source.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace muster::kube {

ExecSource::ExecSource(Run run, const Clock& clock)
    : run_(std::move(run)), clock_(clock), thread_([this](const std::stop_token& stop) { work(stop); }) {}

bool ExecSource::usable(TimePoint now) const {
  return credential_ && !rejected_ && (!expires_ || now < *expires_);
}

bool ExecSource::due(TimePoint now) const { return !usable(now) || (due_ && now >= *due_); }

Result<ExecCredential> ExecSource::current() {
  std::unique_lock lock(mutex_);
  const TimePoint now = clock_.now();
  if (!stopped_ && due(now) && (!ended_ || now - *ended_ >= kExecPause)) {
    asked_ = true;
    changed_.notify_all();
  }
  if (!usable(now)) changed_.wait(lock, [this] { return !asked_ || stopped_; });
  if (credential_) return *credential_;
  if (stopped_) return fail(ErrorCode::kCancelled, "stopped");
  return tl::unexpected(failure_);
}

void ExecSource::rejected() {
  const std::lock_guard lock(mutex_);
  rejected_ = true;
}

void ExecSource::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  thread_.request_stop();
  changed_.notify_all();
}

void ExecSource::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return asked_; })) {
    lock.unlock();
    auto result = run_(stop);
    lock.lock();
    take(std::move(result));
    asked_ = false;
    changed_.notify_all();
    if (stop.stop_requested()) return;
  }
}

void ExecSource::take(Result<ExecCredential> result) {
  const TimePoint now = clock_.now();
  ended_ = now;
  if (!result) {
    failure_ = result.error();
    if (credential_) log_warning("credentials stay as they were: {}", failure_.message);
    return;
  }
  credential_ = *std::move(result);
  rejected_ = false;
  due_.reset();
  expires_.reset();
  if (!credential_->lifetime) return;
  // One that lives shorter than the leeway is used up to its end and a little beyond, not renewed all the
  // time.
  due_ = now + std::max(*credential_->lifetime - kExecLeeway, kExecLeeway);
  expires_ = std::max(now + *credential_->lifetime, *due_);
}

}  // namespace muster::kube
