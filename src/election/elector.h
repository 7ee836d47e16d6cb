// Who leads, as a state machine over one Lease: events go in, calls come out. The rules are client-go's, so
// that everybody who can read a Lease of a Kubernetes component can read this one:
//
//   - whoever finds the lease without a holder, or its record unchanged for the record's own duration, writes
//     itself into it, on top of the version it has read; the server lets one of several writers through;
//   - «unchanged» is measured on the reader's clock, from when it saw the record: the times in the record are
//     another machine's and mean nothing here;
//   - the holder renews every retry period; when its last renewal is a renew deadline old it no longer leads;
//   - who ends in peace writes an empty holder with a duration of a second.
//
// Stricter than client-go: the deadline counts from when the renewal was sent and not from when the next one
// was begun; a holder that reads another one's name stops at once; a record that has vanished is waited out
// like one that is not renewed. Livelier: a standby looks every half retry period or sooner, and exactly when
// the record it has seen runs out.
//
// Two never lead at one instant while the faster clock runs less than lease duration / renew deadline (1.5 by
// default) times as fast as the slower one, and nobody deletes the lease by hand.
//
// Thread rule: one thread. O(1).
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/backoff.h"
#include "base/clock.h"
#include "kube/lease.h"

namespace muster::election {

struct Settings {
  std::string identity;             // differs from process to process
  Duration lease_duration{15'000};  // whole seconds
  Duration renew_deadline{10'000};
  Duration retry_period{2'000};
};

struct Read {};
struct Create {
  kube::Lease lease;
};
struct Update {
  kube::Lease lease;
};
using Call = std::variant<Read, Create, Update>;

// What a call came back with: the lease as it is now (nothing: there is none, after a Read only), or an
// error.
using Reply = Result<std::optional<kube::Lease>>;

enum class Role {
  kStandby,
  kLeader,
  kLost,  // for good: the process starts anew
};

class Elector {
 public:
  // `random` spreads the standbys' looks.
  Elector(Settings settings, Random random);

  // The call to make now, or nothing before wake_at(). Its reply has to come before the next one is asked
  // for. `wall` is the time of day for the record.
  [[nodiscard]] std::optional<Call> next_call(TimePoint now, const std::string& wall);
  void answered(Reply reply, TimePoint now);
  [[nodiscard]] TimePoint wake_at() const;

  // The call by which a leader hands over; nothing for everybody else. Ends the leading, whatever it comes
  // to.
  [[nodiscard]] std::optional<Update> release(TimePoint now, const std::string& wall);

  [[nodiscard]] Role role() const { return role_; }
  // A leader may act before this point of time and not from it on, also when nobody has called next_call().
  [[nodiscard]] TimePoint acting_until() const { return acting_until_; }
  // Whom the lease names, as last seen; empty: nobody, or not known yet.
  [[nodiscard]] std::string holder() const { return observed_ ? observed_->holder : ""; }

 private:
  void observe(const std::optional<kube::Lease>& lease, TimePoint now);
  void read_as_standby(bool exists, TimePoint now);
  void read_as_leader(bool exists, TimePoint now);
  void written(TimePoint now);
  void failed(const Error& error, TimePoint now);
  void lose();
  [[nodiscard]] bool is_free(TimePoint now) const;
  [[nodiscard]] TimePoint runs_out() const;
  [[nodiscard]] Duration pause();
  [[nodiscard]] kube::Lease record(const std::string& wall) const;
  [[nodiscard]] Call write_call(const std::string& wall) const;

  enum class Step { kRead, kCreate, kUpdate };

  const Settings settings_;
  Random random_;
  Role role_ = Role::kStandby;
  std::optional<kube::Lease> observed_;  // kept when the lease has vanished
  TimePoint observed_at_{};
  TimePoint sent_at_{};
  TimePoint acting_until_{};
  TimePoint due_{};
  Step step_ = Step::kRead;
  bool under_way_ = false;
};

}  // namespace muster::election
