#include "binder/carry_out.h"

namespace muster::binder {
namespace {

using namespace group;

kube::PodRef ref(const PodId& pod) { return {pod.ns, pod.name, pod.uid}; }

// The server says «conflict» to a second binding whatever the first one was; the pod tells which.
Result<void> settle_conflict(const Bind& bind, kube::Writer& api, const Error& conflict) {
  const Result<kube::Pod> pod = api.get_pod(bind.pod.ns, bind.pod.name);
  if (!pod) return tl::unexpected(pod.error());
  if (pod->uid != bind.pod.uid)
    return fail(ErrorCode::kNotFound, "pod {}/{} has been replaced", bind.pod.ns, bind.pod.name);
  if (pod->node_name == bind.node) return {};
  if (!pod->node_name.empty()) {
    return fail(ErrorCode::kConflict, "pod {}/{} is bound to {}", bind.pod.ns, bind.pod.name, pod->node_name);
  }
  return tl::unexpected(conflict);
}

struct Visitor {
  kube::Writer& api;

  Result<void> operator()(const Nominate& c) const { return api.nominate(ref(c.pod), c.node, c.plan); }
  Result<void> operator()(const Withdraw& c) const { return api.nominate(ref(c.pod), "", ""); }
  Result<void> operator()(const Release& c) const {
    return c.gated ? api.release(ref(c.pod)) : api.nominate(ref(c.pod), c.node, c.plan + "+");
  }
  Result<void> operator()(const Bind& c) const {
    Result<void> result = api.bind(ref(c.pod), c.node, c.annotations);
    if (result || result.error().code != ErrorCode::kConflict) return result;
    return settle_conflict(c, api, result.error());
  }
  Result<void> operator()(const Tell& c) const {
    return api.record({ref(c.pod), c.reason, c.message, c.warning});
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
