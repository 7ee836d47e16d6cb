#include "election/candidate.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"

namespace muster::election {
namespace {

constexpr Duration kLookAgain{50};  // whether it is fit to lead by now
constexpr Duration kLongestSleep{1'000};

std::string time_of_day() { return kube::format_micro_time(std::chrono::system_clock::now()); }

}  // namespace

Candidate::Candidate(Settings settings, kube::Leases& leases, const Clock& clock, Random random,
                     Callbacks callbacks)
    : settings_(settings),
      leases_(leases),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      elector_(std::move(settings), std::move(random)) {}

Candidate::~Candidate() { stop(); }

void Candidate::start() {
  thread_ = std::thread([this] { run(); });
}

void Candidate::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  acting_until_ = 0;
  const auto release = elector_.release(clock_.now(), time_of_day());
  if (!release) return;
  const auto released = leases_.update(release->lease);
  if (released) {
    log_info("leader election: the lease has been handed over");
  } else {
    log_warning("leader election: the lease could not be handed over: {}", released.error().message);
  }
}

bool Candidate::acting() const { return clock_.now().time_since_epoch().count() < acting_until_; }

std::string Candidate::standing() const {
  if (acting()) return "holds the lease";
  const std::lock_guard lock(mutex_);
  if (holder_.empty()) return "standby: nobody leads yet";
  if (holder_ == settings_.identity) return "the lease was not renewed in time";
  return "standby: " + holder_ + " leads";
}

void Candidate::run() {
  while (true) {
    if (elector_.role() == Role::kStandby && !callbacks_.fit_to_lead()) {
      if (!sleep_until(clock_.now() + kLookAgain)) return;
      continue;
    }
    const auto call = elector_.next_call(clock_.now(), time_of_day());
    if (call) carry_out(*call);
    publish();
    if (elector_.role() == Role::kLost) return;
    if (!sleep_until(elector_.wake_at())) return;
  }
}

void Candidate::carry_out(const Call& call) {
  Reply reply = perform(call);
  if (!reply && reply.error().code != ErrorCode::kConflict)
    log_warning("leader election: {}", reply.error().message);
  elector_.answered(std::move(reply), clock_.now());
}

Reply Candidate::perform(const Call& call) {
  if (std::holds_alternative<Read>(call)) return leases_.read();
  const auto* create = std::get_if<Create>(&call);
  auto written = create ? leases_.create(create->lease) : leases_.update(std::get<Update>(call).lease);
  if (!written) return tl::unexpected(written.error());
  return std::optional(*std::move(written));
}

void Candidate::publish() {
  const bool leads = elector_.role() == Role::kLeader;
  acting_until_ = leads ? elector_.acting_until().time_since_epoch().count() : 0;
  {
    const std::lock_guard lock(mutex_);
    const std::string holder = elector_.holder();
    if (holder != holder_ && !holder.empty()) log_info("leader election: {} leads", holder);
    holder_ = holder;
  }
  if (leads && !std::exchange(was_elected_, true)) callbacks_.on_elected();
  if (elector_.role() == Role::kLost && !std::exchange(was_lost_, true)) {
    log_error("leader election: the lease is lost");
    callbacks_.on_lost();
  }
}

// In steps, for a clock that runs while the machine sleeps is not the one that the wait goes by.
bool Candidate::sleep_until(TimePoint due) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Duration left = due - clock_.now();
    if (left <= Duration(0)) return true;
    wake_.wait_for(lock, std::min(left, kLongestSleep));
  }
  return false;
}

}  // namespace muster::election
