// What the API server adds to objects and refuses in them, as far as Muster can notice: defaults, what may
// change after creation, which half of an object each path writes. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "embedded/failure.h"
#include "embedded/json.h"
#include "embedded/resource.h"

namespace muster::embedded {

struct AdmissionOptions {
  // Members created with one of these schedulers get the gate muster.dev/hold, as the admission policy in
  // manifests/ does it. Empty: no gate is added.
  std::vector<std::string> hold_schedulers{"muster"};
};

enum class Half { kMain, kStatus };

// The shape every object must have: metadata with a valid name, labels and annotations of strings.
[[nodiscard]] Answer<void> check_metadata(const Json& object);

// Validates and completes a new object. A pod's status from outside is dropped and starts as Pending.
[[nodiscard]] Answer<void> admit_new(Kind kind, Json& object, const AdmissionOptions& options);
// The same for an object that existed before, such as a running pod of a cluster file: its status stays.
[[nodiscard]] Answer<void> admit_existing(Kind kind, Json& object);

// `after` was made from `before` by a call on this half: takes the other half back and refuses what may not
// change, such as adding a scheduling gate. Metadata belongs to both halves.
[[nodiscard]] Answer<void> admit_change(Kind kind, Half half, const Json& before, Json& after);

// POST pods/NAME/binding: node, condition and annotations in one step. Conflict when the pod is bound
// already, still gated or terminating, or when the binding's uid is not its own.
[[nodiscard]] Answer<void> admit_binding(Json& pod, const Json& binding, const std::string& now);

// Sets status.conditions[type]; lastTransitionTime only moves with the status.
void set_condition(Json& object, const std::string& type, bool value, const std::string& reason,
                   const std::string& now);

}  // namespace muster::embedded
