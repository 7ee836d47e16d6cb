#include "extender/service.h"

#include <utility>
#include <vector>

#include "extender/replies.h"
#include "extender/short_hosts.h"
#include "kube/decode.h"

namespace muster::extender {
namespace {

constexpr std::string_view kFilter = "filter";
constexpr std::string_view kBind = "bind";
constexpr std::string_view kPreempt = "preempt";
constexpr std::string_view kPromised = "muster: the free room is promised to a group";

Answer bad_call(const Error& error) { return {400, error_reply(error.message)}; }

Answer with_names(const Offer& offer, Reply reply) {
  // Names that had to be rewritten end with the call.
  if (offer.rewritten) return {200, reply.text()};
  return {200, std::move(reply)};
}

Refusal refusal_of(std::string_view verb, std::string_view caller, const PodIdentity& pod,
                   std::string why = {}) {
  return {verb, std::string(caller), pod.ns, pod.name, pod.uid, std::move(why)};
}

}  // namespace

Answer Service::filter(std::string_view body, std::string_view caller) {
  auto call = read_filter_head(body);
  if (!call) return bad_call(call.error());
  if (const std::string why = decisions_.standby(); !why.empty())
    return ask_another(refusal_of(kFilter, caller, call->pod, "muster: " + why));
  FilterDecision decision = decisions_.filter(call->pod);
  if (const auto* other = std::get_if<Foreign>(&decision)) return foreign(*call, *other->promises, caller);
  const auto* plan = std::get_if<Planned>(&decision);
  auto offer = read_offer(*call, plan != nullptr ? plan->node : std::string_view());
  if (!offer) return bad_call(offer.error());
  if (plan != nullptr && offer->has_wanted) {
    refusals_.passed(kFilter, call->pod.uid);
    return {200, one_node_reply(plan->node)};
  }

  Refusal refusal = refusal_of(kFilter, caller, call->pod);
  if (plan != nullptr && plan->known) {
    decisions_.node_refused(call->pod, plan->node);
    refusal.node = plan->node;
    refusal.plan = plan->plan;
    refusal.why = fmt::format(
        "muster: kube-scheduler does not offer {}, which was planned for this pod; it is planned again",
        plan->node);
  } else if (plan != nullptr) {
    refusal.why =
        fmt::format("muster: {} is planned for this pod, and kube-scheduler is being told", plan->node);
  } else {
    refusal.why = std::get<Held>(decision).reason;
  }
  Answer answer{200, no_node_reply(offer->names, refusal.why)};
  refusals_.refused(std::move(refusal));
  return answer;
}

Answer Service::foreign(const FilterHead& call, const Promises& promises, std::string_view caller) {
  const auto offer = read_offer(call);
  if (!offer) return bad_call(offer.error());
  const auto all = [&] {
    refusals_.passed(kFilter, call.pod.uid);
    return with_names(*offer, all_nodes_reply(offer->names));
  };
  if (promises.empty()) return all();
  auto pod = kube::decode_pod(call.pod_json);
  if (!pod) return bad_call(Error{ErrorCode::kInvalid, "filter: Pod: " + pod.error().message});
  ShortHosts hosts(promises, pod->requests);
  if (hosts.empty()) return all();
  Reply reply = some_nodes_reply(offer->names, hosts, kPromised);
  if (reply.gives_none) {
    refusals_.refused(refusal_of(kFilter, caller, call.pod, std::string(kPromised)));
  } else {
    refusals_.passed(kFilter, call.pod.uid);
  }
  return with_names(*offer, std::move(reply));
}

// Not a refusal of the nodes, which would keep the pod waiting for an event: an error, after which
// kube-scheduler tries again and reaches the leader.
Answer Service::ask_another(Refusal refusal) {
  Answer answer{503, error_reply(refusal.why)};
  refusals_.refused(std::move(refusal));
  return answer;
}

Answer Service::bind(std::string_view body, std::string_view caller) {
  auto call = read_bind_call(body);
  if (!call) return bad_call(call.error());
  call->caller = caller;
  if (const std::string why = decisions_.standby(); !why.empty()) {
    return ask_another({kBind, call->caller, call->ns, call->name, call->uid, "muster: " + why, call->node});
  }
  auto bound = decisions_.bind(*call);
  refusals_.passed(kBind, call->uid);
  return {200, error_reply(bound ? std::string_view() : std::string_view(bound.error().message))};
}

Answer Service::preempt(std::string_view body, std::string_view caller) {
  auto call = read_preempt_call(body);
  if (!call) return bad_call(call.error());
  if (const std::string why = decisions_.standby(); !why.empty())
    return ask_another(refusal_of(kPreempt, caller, call->pod, "muster: " + why));
  std::vector<const Candidate*> left;
  for (const Candidate& candidate : call->candidates) {
    if (decisions_.may_preempt(call->pod, candidate.victim_uids)) left.push_back(&candidate);
  }
  const std::size_t dropped = call->candidates.size() - left.size();
  if (dropped > 0) {
    refusals_.refused(refusal_of(
        kPreempt, caller, call->pod,
        fmt::format("nobody may be evicted for it on {} of {} nodes", dropped, call->candidates.size())));
  } else {
    refusals_.passed(kPreempt, call->pod.uid);
  }
  return {200, preempt_reply(left)};
}

}  // namespace muster::extender
