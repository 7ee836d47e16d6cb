// What Muster asks of the Kubernetes API, as an interface: the engine and the binder know only this, tests
// and simulations bring their own. The real one is Client in client.h.
//
// Thread rule: write calls may come from several threads at once; each blocks until the API server has
// answered. Errors carry the code of base/error.h; messages name the object and what the server said.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "kube/types.h"

namespace muster::kube {

struct PodRef {
  std::string ns;
  std::string name;
  std::string uid;           // a precondition: a pod of the same name with another uid is not touched
  std::string version = {};  // resourceVersion; a precondition too, unless it is empty
  friend bool operator==(const PodRef&, const PodRef&) = default;
};

struct EventRecord {
  PodRef pod;
  std::string reason;   // CamelCase: Gathering, NoRoom, Planned, …
  std::string message;  // at most 1024 bytes; longer ones are cut
  bool warning = false;
};

// How a pod is made to go.
struct Removal {
  bool obey_budgets = true;  // false: deleted, past PodDisruptionBudgets
  bool at_once = false;      // without its grace period: for what runs nowhere any more
  friend bool operator==(const Removal&, const Removal&) = default;
};

// The writes. Each is one call to the API server, without retries: who retries is the binder.
class Writer {
 public:
  virtual ~Writer() = default;

  // Sets status.nominatedNodeName and the annotation muster.dev/plan in one write. An empty node and plan
  // clear both.
  [[nodiscard]] virtual Result<void> nominate(const PodRef& pod, const std::string& node,
                                              const std::string& plan) = 0;
  // Removes the scheduling gate muster.dev/hold and leaves other gates alone.
  [[nodiscard]] virtual Result<void> release(const PodRef& pod) = 0;
  // Posts the binding; annotations reach the pod in the same write. A pod that is already bound, to whatever
  // node, or that has changed since its version, is kConflict.
  [[nodiscard]] virtual Result<void> bind(const PodRef& pod, const std::string& node,
                                          const StringMap& annotations) = 0;
  // Reads the pod now, from the API server and not from the cache.
  [[nodiscard]] virtual Result<Pod> get_pod(const std::string& ns, const std::string& name) = 0;
  // Makes the pod go, through policy/v1 or by deletion. kThrottled: a PodDisruptionBudget does not allow it
  // now.
  [[nodiscard]] virtual Result<void> evict(const PodRef& pod, Removal how) = 0;
  // Sets the annotation muster.dev/let-go: the pod is about to be evicted with its group, and why.
  [[nodiscard]] virtual Result<void> mark(const PodRef& pod, const std::string& why) = 0;
  // Sets the condition muster.dev/group-ready.
  [[nodiscard]] virtual Result<void> set_ready(const PodRef& pod, bool ready) = 0;
  [[nodiscard]] virtual Result<void> record(const EventRecord& event) = 0;
};

// Changes of the cache of one kind, in order. Replace is the whole state after a list: what it lacks is gone.
template <typename T>
struct Replace {
  std::vector<T> items;
};
template <typename T>
struct Upsert {
  T item;
};
template <typename T>
struct Remove {
  T last;  // the last state seen; after a list, which does not tell it, only name, namespace and uid
};
template <typename T>
using Delta = std::variant<Replace<T>, Upsert<T>, Remove<T>>;
template <typename T>
using DeltaBatch = std::vector<Delta<T>>;

}  // namespace muster::kube
