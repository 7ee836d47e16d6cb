#include "extender/refusal_log.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace muster::extender {

RefusalLog::RefusalLog(Refusals& refusals, Duration period, Write write)
    : refusals_(refusals), period_(period), write_(std::move(write)), thread_([this] { run(); }) {}

RefusalLog::~RefusalLog() {
  refusals_.close();
  thread_.join();
}

void RefusalLog::run() {
  const SteadyClock clock;
  TimePoint due = clock.now() + period_;
  while (!refusals_.closed()) {
    write_waiting(std::max(Duration(0), due - clock.now()));
    if (clock.now() < due) continue;
    refusals_.sweep();
    due = clock.now() + period_;
  }
  refusals_.sweep();
  write_waiting(Duration(0));
}

void RefusalLog::write_waiting(Duration patience) {
  for (const AuditLine& line : refusals_.take(patience)) write_(line);
}

}  // namespace muster::extender
