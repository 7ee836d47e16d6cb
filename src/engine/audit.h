// The audit trail: one line of JSON in the log for each decision that binds, evicts or refuses, with who
// asked, what was done to which pod, why, and the plan it belongs to. Texts come out as JSON strings, so that
// no name or message can make a second line or a field of its own.
//
// Pure functions: every thread may call them.
#pragma once

#include <string>

#include "binder/binder.h"
#include "extender/decisions.h"
#include "group/commands.h"

namespace muster::engine {

// What a write came to. Empty for commands that are no decision of this kind.
[[nodiscard]] std::string audit_of(const group::Command& command, const Result<void>& result);
// A bind call of kube-scheduler that was refused.
[[nodiscard]] std::string audit_of(const extender::BindCall& call, const Error& error);

}  // namespace muster::engine
