#include "binder/carry_out.h"

#include <optional>
#include <string>

#include "base/pod_keys.h"

namespace muster::binder {
namespace {

using namespace group;

constexpr int kLooks = 4;

kube::PodRef ref(const PodId& pod) { return {pod.ns, pod.name, pod.uid}; }

bool carries(const kube::Pod& pod, const std::string& plan) {
  const auto found = pod.annotations.find(keys::kPlan);
  return found != pod.annotations.end() && is_of_plan(found->second, plan);
}

// The server says «conflict» to a second binding whatever the first one was, and to a version that has
// passed; the pod tells which. The version to be bound, or nothing when it is bound there.
Result<std::optional<std::string>> look_at(const Bind& bind, kube::Writer& api) {
  const Result<kube::Pod> pod = api.get_pod(bind.pod.ns, bind.pod.name);
  if (!pod) return tl::unexpected(pod.error());
  if (pod->uid != bind.pod.uid)
    return fail(ErrorCode::kNotFound, "pod {}/{} has been replaced", bind.pod.ns, bind.pod.name);
  if (pod->node_name == bind.node) return std::nullopt;
  if (!pod->node_name.empty())
    return fail(ErrorCode::kConflict, "pod {}/{} is bound to {}", bind.pod.ns, bind.pod.name, pod->node_name);
  if (!bind.plan.empty() && !carries(*pod, bind.plan))
    return fail(ErrorCode::kConflict, "pod {}/{} does not carry plan {} any more", bind.pod.ns, bind.pod.name,
                bind.plan);
  return pod->resource_version;
}

// A pod that has changed and still carries the plan is bound as it is then. Whoever has taken the plan back,
// another Muster perhaps, has changed the pod, so that a binding which is late is refused.
Result<void> post(const Bind& bind, kube::Writer& api) {
  kube::PodRef pod = ref(bind.pod);
  pod.version = bind.version;
  bool known = !bind.version.empty() || bind.plan.empty();
  for (int looks = 0; looks < kLooks; ++looks) {
    const Result<void> result =
        known ? api.bind(pod, bind.node, bind.annotations) : fail(ErrorCode::kConflict, "not seen yet");
    if (result || result.error().code != ErrorCode::kConflict) return result;
    const auto version = look_at(bind, api);
    if (!version) return tl::unexpected(version.error());
    if (!*version) return {};
    if (bind.plan.empty() || **version == pod.version) return result;
    pod.version = **version;
    known = true;
  }
  return fail(ErrorCode::kUnavailable, "pod {}/{} changes faster than it can be bound", bind.pod.ns,
              bind.pod.name);
}

struct Visitor {
  kube::Writer& api;

  Result<void> operator()(const Nominate& c) const { return api.nominate(ref(c.pod), c.node, c.plan); }
  Result<void> operator()(const Withdraw& c) const { return api.nominate(ref(c.pod), "", ""); }
  Result<void> operator()(const Release& c) const {
    return c.gated ? api.release(ref(c.pod)) : api.nominate(ref(c.pod), c.node, c.plan + "+");
  }
  Result<void> operator()(const Bind& c) const { return post(c, api); }
  Result<void> operator()(const Tell& c) const {
    return api.record({ref(c.pod), std::string(to_string(c.reason)), c.message, c.warning});
  }
  Result<void> operator()(const Mark& c) const { return api.mark(ref(c.pod), c.why); }
  Result<void> operator()(const Evict& c) const { return api.evict(ref(c.pod), {c.obey_budgets, c.at_once}); }
  Result<void> operator()(const SetReady& c) const { return api.set_ready(ref(c.pod), c.ready); }
  Result<void> operator()(const AnswerBind&) const { return {}; }
};

}  // namespace

Result<void> carry_out(const Command& command, kube::Writer& api) {
  return std::visit(Visitor{api}, command);
}

}  // namespace muster::binder
