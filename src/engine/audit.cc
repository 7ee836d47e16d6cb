#include "engine/audit.h"

namespace muster::engine {
namespace {

constexpr std::string_view kMuster = "muster";

AuditLine about(const group::PodId& pod, std::string_view what, std::string_view who = kMuster) {
  AuditLine line(what, who);
  line.add_pod(pod.ns, pod.name, pod.uid);
  return line;
}

// A binding without a plan is passed on for whoever asked.
AuditLine of(const group::Bind& bind, const Result<void>& result) {
  const bool ours = !bind.plan.empty();
  return about(bind.pod, "bind", ours ? kMuster : bind.asked_by)
      .add("node", bind.node)
      .add("plan", bind.plan)
      .add("why", ours ? "every member of the plan may be bound" : "pod of no group")
      .add(result);
}

AuditLine of(const group::Evict& evict, const Result<void>& result) {
  return about(evict.pod, "evict").add("plan", evict.plan).add("why", evict.why).add(result);
}

}  // namespace

std::optional<AuditLine> audit_of(const group::Command& command, const Result<void>& result) {
  if (const auto* bind = std::get_if<group::Bind>(&command)) return of(*bind, result);
  if (const auto* evict = std::get_if<group::Evict>(&command)) return of(*evict, result);
  return std::nullopt;
}

AuditLine audit_of(const group::Tell& tell) {
  return about(tell.pod, "refuse")
      .add("plan", tell.plan)
      .add("why", fmt::format("{}: {}", to_string(tell.reason), tell.message));
}

AuditLine audit_of(const extender::BindCall& call, std::string_view plan, const Error& error) {
  return about({call.ns, call.name, call.uid}, "refuse", call.caller)
      .add("verb", "bind")
      .add("node", call.node)
      .add("plan", plan)
      .add("why", error.message)
      .add("result", to_string(error.code));
}

}  // namespace muster::engine
