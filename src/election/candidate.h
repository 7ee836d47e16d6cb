// A process that stands for election: the thread that carries out an Elector's calls, and what the rest of
// the process may ask about it.
//
// Thread rule: start() and stop() from one thread; all else from any. The callbacks come from the candidate's
// thread, on_elected at most once, on_lost at most once and last; neither may call stop().
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "election/elector.h"

namespace muster::election {

struct Callbacks {
  // Asked before a standby reaches for the lease: one that could not lead leaves it alone.
  std::function<bool()> fit_to_lead = [] { return true; };
  std::function<void()> on_elected = [] {};
  // It led and could not renew, or somebody else has the lease. acting() is false by then.
  std::function<void()> on_lost = [] {};
};

class Candidate {
 public:
  // `leases` and `clock` must outlive this; clock runs while the machine sleeps (base/boot_clock.h).
  Candidate(Settings settings, kube::Leases& leases, const Clock& clock, Random random, Callbacks callbacks);
  ~Candidate();  // stops

  void start();
  // Hands the lease over if we hold it: nothing may act from here on. Returns after that call. Idempotent.
  void stop();

  // Whether this process may act now: it holds the lease, and the last renewal is young enough. Reads the
  // clock, so it is false on the first look after a pause that was too long. Lock-free.
  [[nodiscard]] bool acting() const;
  // For people: "holds the lease", "standby: host-b_1f leads", …
  [[nodiscard]] std::string standing() const;

 private:
  void run();
  void carry_out(const Call& call);
  void publish();
  [[nodiscard]] Reply perform(const Call& call);
  // False when stop() came.
  bool sleep_until(TimePoint due);

  const Settings settings_;
  kube::Leases& leases_;
  const Clock& clock_;
  const Callbacks callbacks_;

  Elector elector_;  // the thread's; stop()'s after the thread has ended
  bool was_elected_ = false;
  bool was_lost_ = false;
  std::atomic<Duration::rep> acting_until_ = 0;  // since the clock's epoch; 0: not acting

  mutable std::mutex mutex_;  // guards the rest
  std::condition_variable wake_;
  bool stopping_ = false;
  std::string holder_;
  std::thread thread_;
};

}  // namespace muster::election
