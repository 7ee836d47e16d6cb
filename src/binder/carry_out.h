// One attempt at one command against the API.
#pragma once

#include "group/commands.h"
#include "kube/api.h"

namespace muster::binder {

// Idempotent: a command that took effect although its reply was lost succeeds when it is repeated. For Bind,
// «already bound there» is success, «bound elsewhere» and «carries another plan» are kConflict; it is posted
// with the pod's uid and version, and again with a newer version as long as the pod carries the plan. Blocks
// for the calls it makes.
[[nodiscard]] Result<void> carry_out(const group::Command& command, kube::Writer& api);

}  // namespace muster::binder
