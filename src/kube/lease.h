// A Lease of coordination.k8s.io/v1 and the calls that leader election makes on one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kube/connections.h"
#include "kube/credentials.h"

namespace muster::kube {

// The times are the holder's own and only shown to people: nobody else's clock may judge by them.
struct Lease {
  std::string resource_version;  // empty before it is created
  std::string holder;            // empty: nobody's
  int64_t duration_seconds = 0;
  std::string acquire_time;  // MicroTime, see format_micro_time()
  std::string renew_time;
  int64_t transitions = 0;

  // What the holder writes is the same; labels and the like may differ.
  [[nodiscard]] bool same_record(const Lease& other) const;
};

// One lease. Each call is one call to the API server, without retries. Thread rule: one call at a time.
class Leases {
 public:
  virtual ~Leases() = default;

  // Nothing when there is no such lease.
  [[nodiscard]] virtual Result<std::optional<Lease>> read() = 0;
  // kConflict when it is there already.
  [[nodiscard]] virtual Result<Lease> create(const Lease& lease) = 0;
  // Writes the record on top of the version it names. kConflict: somebody was faster. kNotFound: it is gone.
  [[nodiscard]] virtual Result<Lease> update(const Lease& lease) = 0;
};

class LeaseClient final : public Leases {
 public:
  // `timeout` bounds the connecting, and then the rest of the call: one that hangs must leave time for
  // another. The connections are this client's own, so that no other traffic delays a renewal.
  LeaseClient(std::string ns, std::string name, std::shared_ptr<Credentials> credentials,
              std::chrono::milliseconds timeout);

  Result<std::optional<Lease>> read() override;
  Result<Lease> create(const Lease& lease) override;
  Result<Lease> update(const Lease& lease) override;

  // Calls under way and all later ones return kCancelled. Idempotent, from any thread.
  void stop() { connections_.stop(); }

 private:
  [[nodiscard]] Result<Lease> write(std::string_view verb, std::string_view method, const std::string& path,
                                    const std::string& body, std::string_view content_type);

  const std::string ns_;
  const std::string name_;
  Connections connections_;
};

// --- texts ------------------------------------------------------------------------------------------------

// "/apis/coordination.k8s.io/v1/namespaces/NS/leases", with "/NAME" if there is one.
[[nodiscard]] std::string lease_path(std::string_view ns, std::string_view name = {});
[[nodiscard]] std::string lease_body(std::string_view ns, std::string_view name, const Lease& lease);
// A merge patch that names the version it was made from and leaves alone what is not ours.
[[nodiscard]] std::string lease_patch(const Lease& lease);
// kInvalid for what is no Lease.
[[nodiscard]] Result<Lease> decode_lease(std::string_view json);
// "2026-01-31T12:00:00.000000Z"
[[nodiscard]] std::string format_micro_time(std::chrono::system_clock::time_point time);

}  // namespace muster::kube
