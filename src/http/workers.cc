#include "http/workers.h"

#include <utility>

#include "base/log.h"

namespace muster::http {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStackBytes = 4u << 20;
#else
constexpr std::size_t kStackBytes = 512u << 10;
#endif

}  // namespace

Workers::~Workers() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  job_ready_.notify_all();
  changed_.wait(lock, [this] { return threads_ == 0; });
  if (last_ended_) pthread_join(*last_ended_, nullptr);
}

void Workers::run(std::function<void()> job) {
  std::unique_lock lock(mutex_);
  jobs_.push_back(std::move(job));
  if (idle_ >= jobs_.size() || threads_ >= options_.max_threads) {
    job_ready_.notify_one();
    return;
  }
  ++threads_;
  lock.unlock();
  if (start_thread()) return;
  lock.lock();
  --threads_;
  log_warning("http: no more threads: {} run, {} calls wait", threads_, jobs_.size());
}

std::size_t Workers::threads() const {
  std::lock_guard lock(mutex_);
  return threads_;
}

bool Workers::wait_idle(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return jobs_.empty() && threads_ == idle_; });
}

bool Workers::saturated() const {
  std::lock_guard lock(mutex_);
  return threads_ >= options_.max_threads && jobs_.size() > idle_;
}

bool Workers::start_thread() {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread;
  bool ok = pthread_create(&thread, &attributes, &Workers::thread_main, this) == 0;
  pthread_attr_destroy(&attributes);
  return ok;
}

void* Workers::thread_main(void* self) {
  static_cast<Workers*>(self)->work();
  return nullptr;
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (jobs_.empty()) {
      if (closing_) break;
      ++idle_;
      if (idle_ == threads_) changed_.notify_all();
      bool woken =
          job_ready_.wait_for(lock, options_.idle_life, [this] { return !jobs_.empty() || closing_; });
      --idle_;
      if (!woken) break;
      continue;
    }
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it captured must be gone before this thread counts as idle
    lock.lock();
  }
  --threads_;
  const std::optional<pthread_t> ended_before = std::exchange(last_ended_, pthread_self());
  // Under the lock: the destructor may run as soon as it is released.
  changed_.notify_all();
  lock.unlock();
  if (ended_before) pthread_join(*ended_before, nullptr);
}

}  // namespace muster::http
