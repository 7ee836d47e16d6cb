// One attempt at one command against the API.
#pragma once

#include "group/commands.h"
#include "kube/api.h"

namespace muster::binder {

// Idempotent: a command that took effect although its reply was lost succeeds when it is repeated. For Bind,
// «already bound there» is success and «bound elsewhere» is kConflict. Blocks for the calls it makes.
[[nodiscard]] Result<void> carry_out(const group::Command& command, kube::Writer& api);

}  // namespace muster::binder
