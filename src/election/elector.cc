#include "election/elector.h"

#include <algorithm>
#include <utility>

namespace muster::election {

Elector::Elector(Settings settings, Random random)
    : settings_(std::move(settings)), random_(std::move(random)) {}

std::optional<Call> Elector::next_call(TimePoint now, const std::string& wall) {
  MUSTER_CHECK(!under_way_);
  if (role_ == Role::kLeader && now >= acting_until_) lose();
  if (role_ == Role::kLost || now < due_) return std::nullopt;
  under_way_ = true;
  sent_at_ = now;
  if (step_ == Step::kRead) return Read{};
  return write_call(wall);
}

TimePoint Elector::wake_at() const {
  if (role_ == Role::kLost) return TimePoint::max();
  return role_ == Role::kLeader ? std::min(due_, acting_until_) : due_;
}

void Elector::answered(Reply reply, TimePoint now) {
  MUSTER_CHECK(under_way_);
  under_way_ = false;
  const Step step = std::exchange(step_, Step::kRead);
  if (role_ == Role::kLeader && now >= acting_until_) return lose();
  if (!reply) return failed(reply.error(), now);
  observe(*reply, now);
  if (step != Step::kRead) return written(now);
  return role_ == Role::kLeader ? read_as_leader(reply->has_value(), now)
                                : read_as_standby(reply->has_value(), now);
}

void Elector::observe(const std::optional<kube::Lease>& lease, TimePoint now) {
  if (!lease) return;
  if (!observed_ || !observed_->same_record(*lease)) observed_at_ = now;
  observed_ = lease;
}

void Elector::read_as_standby(bool exists, TimePoint now) {
  if (is_free(now)) {
    step_ = exists ? Step::kUpdate : Step::kCreate;
    due_ = now;
    return;
  }
  due_ = std::min(now + pause(), runs_out());
}

void Elector::read_as_leader(bool exists, TimePoint now) {
  if (exists && observed_->holder != settings_.identity) return lose();
  step_ = exists ? Step::kUpdate : Step::kCreate;
  due_ = now;
}

// A reply may come so late that the time it bought is over: then the lease is ours and waits to be renewed.
void Elector::written(TimePoint now) {
  const TimePoint until = sent_at_ + settings_.renew_deadline;
  if (now >= until) {
    due_ = now;
    return;
  }
  role_ = Role::kLeader;
  acting_until_ = until;
  step_ = Step::kUpdate;
  due_ = std::max(now, sent_at_ + settings_.retry_period);
}

// Whatever the error says, the write may have taken effect: reading tells.
void Elector::failed(const Error& error, TimePoint now) {
  const bool overtaken = error.code == ErrorCode::kConflict || error.code == ErrorCode::kNotFound;
  if (role_ == Role::kLeader) {
    due_ = overtaken ? now : now + settings_.retry_period;
  } else {
    due_ = now + pause();
  }
}

void Elector::lose() {
  role_ = Role::kLost;
  acting_until_ = {};
}

bool Elector::is_free(TimePoint now) const {
  if (!observed_ || observed_->holder.empty() || observed_->holder == settings_.identity) return true;
  return now >= runs_out();
}

TimePoint Elector::runs_out() const {
  const Duration promised = std::chrono::seconds(observed_->duration_seconds);
  return observed_at_ + (promised > Duration(0) ? promised : settings_.lease_duration);
}

Duration Elector::pause() {
  const auto half = static_cast<double>(settings_.retry_period.count()) / 2;
  return Duration(std::max<int64_t>(1, static_cast<int64_t>(half * (0.5 + 0.5 * random_()))));
}

kube::Lease Elector::record(const std::string& wall) const {
  const bool ours = observed_ && observed_->holder == settings_.identity;
  kube::Lease lease;
  lease.holder = settings_.identity;
  lease.duration_seconds = std::chrono::duration_cast<std::chrono::seconds>(settings_.lease_duration).count();
  lease.renew_time = wall;
  lease.acquire_time = ours ? observed_->acquire_time : wall;
  if (observed_) {
    lease.resource_version = observed_->resource_version;
    lease.transitions = observed_->transitions + (ours ? 0 : 1);
  }
  return lease;
}

Call Elector::write_call(const std::string& wall) const {
  if (step_ == Step::kCreate) return Create{record(wall)};
  return Update{record(wall)};
}

std::optional<Update> Elector::release(TimePoint now, const std::string& wall) {
  MUSTER_CHECK(!under_way_);
  const bool leads = role_ == Role::kLeader && now < acting_until_;
  lose();
  if (!leads) return std::nullopt;
  kube::Lease lease = record(wall);
  lease.holder.clear();
  lease.duration_seconds = 1;
  lease.acquire_time = wall;
  return Update{lease};
}

}  // namespace muster::election
