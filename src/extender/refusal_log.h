// Writes the lines of Refusals to the log, on a thread of its own.
//
// Thread rule: made and ended by one thread.
#pragma once

#include <functional>
#include <thread>

#include "base/audit_line.h"
#include "base/clock.h"
#include "extender/refusals.h"

namespace muster::extender {

class RefusalLog {
 public:
  using Write = std::function<void(const AuditLine&)>;
  // kube-scheduler asks for a waiting pod again after 5 minutes at the latest.
  static constexpr Duration kPeriod{600'000};

  // refusals outlives this. Repetitions are told once in a period.
  explicit RefusalLog(
      Refusals& refusals, Duration period = kPeriod,
      Write write = [](const AuditLine& line) { line.write(); });
  // Says what is left to say.
  ~RefusalLog();
  RefusalLog(const RefusalLog&) = delete;
  RefusalLog& operator=(const RefusalLog&) = delete;

 private:
  void run();
  void write_waiting(Duration patience);

  Refusals& refusals_;
  const Duration period_;
  const Write write_;
  std::thread thread_;
};

}  // namespace muster::extender
