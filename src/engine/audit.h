// Which decisions of the engine are audited, and what their lines say. The verbs' own refusals, which need no
// engine, are in extender/service.cc.
//
// Pure functions: every thread may call them.
#pragma once

#include <optional>
#include <string_view>

#include "base/audit_line.h"
#include "extender/decisions.h"
#include "group/commands.h"

namespace muster::engine {

// What a binding or an eviction came to. Nothing for other commands.
[[nodiscard]] std::optional<AuditLine> audit_of(const group::Command& command, const Result<void>& result);
// What keeps a group from being placed, when it is decided.
[[nodiscard]] AuditLine audit_of(const group::Tell& tell);
// A bind call that was refused; plan: that of the pod when it called, empty without one.
[[nodiscard]] AuditLine audit_of(const extender::BindCall& call, std::string_view plan, const Error& error);

}  // namespace muster::engine
