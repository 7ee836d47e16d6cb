// The refusals that go on, so that each has one line in the audit trail and not one for each time that
// kube-scheduler asks again: a line when it begins, and one that says how often it was repeated when it ends
// or has gone on for a while. A refusal is the same as long as verb, caller, node and plan are, and the words
// of its reason, whatever numbers stand in them: those change with every pod that comes and goes.
//
// Lines are not written here but taken by RefusalLog, so that whoever is asked never waits for the log.
//
// Thread rule: everything is safe from any thread; no lock is held for longer than a look at the table, or
// at all of it in sweep().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/audit_line.h"
#include "base/clock.h"
#include "kube/api.h"

namespace muster::extender {

struct Refusal {
  std::string_view verb;  // "filter", "preempt" or "bind": text that always exists
  std::string caller;
  std::string ns;
  std::string name;
  std::string uid;
  std::string why;
  std::string node{};  // that was planned for the pod
  std::string plan{};
};

class Refusals {
 public:
  // Beyond it each refusal of a further pod has its line.
  static constexpr std::size_t kMaxRemembered = 20'000;
  // Beyond it, which takes a log that nobody reads, refusals are forgotten; a line says how many.
  static constexpr std::size_t kMaxWaiting = 10'000;

  void refused(Refusal refusal);
  // The verb has given this pod what it asked for. O(1), and no lock while nothing is refused.
  void passed(std::string_view verb, const std::string& uid);
  // Forgets the pods that are bound or gone.
  void follow(const kube::DeltaBatch<kube::Pod>& batch);

  // Once in a period: says how often what goes on was repeated since the last line about it, and forgets what
  // nobody has asked for in a whole period.
  void sweep();
  // The lines that wait, as soon as there is one; none after `patience`, or when closed.
  [[nodiscard]] std::vector<AuditLine> take(Duration patience);
  // Nobody waits in take() any more.
  void close();
  [[nodiscard]] bool closed() const;

 private:
  struct Entry {
    Refusal refusal;
    uint64_t repeated = 0;  // since its last line
    bool asked = true;      // since the last sweep
  };
  using Table = std::unordered_map<std::string, Entry>;  // by verb and uid

  void say(const Refusal& refusal, uint64_t repeated);
  void say_repeated(Entry& entry);
  void end(Table::iterator entry);
  void forget(const std::string& uid);

  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable wake_;
  Table going_on_;
  std::vector<std::pair<Refusal, uint64_t>> waiting_;  // and how often it was repeated
  uint64_t lost_ = 0;
  bool closed_ = false;
  std::atomic<std::size_t> remembered_ = 0;  // size of going_on_, to be read without the lock
};

}  // namespace muster::extender
