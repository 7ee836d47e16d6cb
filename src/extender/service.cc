#include "extender/service.h"

#include <utility>
#include <vector>

#include "extender/replies.h"
#include "extender/short_hosts.h"
#include "kube/decode.h"

namespace muster::extender {
namespace {

constexpr std::string_view kPromised = "muster: the free room is promised to a group";

Answer bad_call(const Error& error) { return {400, error_reply(error.message)}; }

Answer with_names(const Offer& offer, Reply reply) {
  // Names that had to be rewritten end with the call.
  if (offer.rewritten) return {200, reply.text()};
  return {200, std::move(reply)};
}

Answer foreign(const FilterHead& call, const Offer& offer, const Promises& promises) {
  if (promises.empty()) return with_names(offer, all_nodes_reply(offer.names));
  auto pod = kube::decode_pod(call.pod_json);
  if (!pod) return bad_call(Error{ErrorCode::kInvalid, "filter: Pod: " + pod.error().message});
  ShortHosts hosts(promises, pod->requests);
  if (hosts.empty()) return with_names(offer, all_nodes_reply(offer.names));
  return with_names(offer, some_nodes_reply(offer.names, hosts, kPromised));
}

AuditLine refusal(std::string_view verb, std::string_view caller, const PodIdentity& pod) {
  AuditLine line("refuse", caller);
  line.add_pod(pod.ns, pod.name, pod.uid).add("verb", verb);
  return line;
}

}  // namespace

Answer Service::filter(std::string_view body, std::string_view caller) {
  auto call = read_filter_head(body);
  if (!call) return bad_call(call.error());
  FilterDecision decision = decisions_.filter(call->pod);
  const auto* plan = std::get_if<Planned>(&decision);
  auto offer = read_offer(*call, plan != nullptr ? plan->node : std::string_view());
  if (!offer) return bad_call(offer.error());
  if (const auto* other = std::get_if<Foreign>(&decision)) return foreign(*call, *offer, *other->promises);
  if (plan != nullptr && offer->has_wanted) return {200, one_node_reply(plan->node)};

  AuditLine line = refusal("filter", caller, call->pod);
  std::string why;
  if (plan != nullptr) {
    decisions_.node_refused(call->pod, plan->node);
    line.add("node", plan->node).add("plan", plan->plan);
    why = fmt::format(
        "muster: kube-scheduler does not offer {}, which was planned for this pod; it is planned again",
        plan->node);
  } else {
    why = std::get<Held>(decision).reason;
  }
  audit_(line.add("why", why));
  return {200, no_node_reply(offer->names, why)};
}

Answer Service::bind(std::string_view body, std::string_view caller) {
  auto call = read_bind_call(body);
  if (!call) return bad_call(call.error());
  call->caller = caller;
  auto bound = decisions_.bind(*call);
  return {200, error_reply(bound ? std::string_view() : std::string_view(bound.error().message))};
}

Answer Service::preempt(std::string_view body, std::string_view caller) {
  auto call = read_preempt_call(body);
  if (!call) return bad_call(call.error());
  std::vector<const Candidate*> left;
  for (const Candidate& candidate : call->candidates) {
    if (decisions_.may_preempt(call->pod, candidate.victim_uids)) left.push_back(&candidate);
  }
  if (left.size() < call->candidates.size()) {
    audit_(refusal("preempt", caller, call->pod)
               .add("why", fmt::format("nobody may be evicted for it on {} of {} nodes",
                                       call->candidates.size() - left.size(), call->candidates.size())));
  }
  return {200, preempt_reply(left)};
}

}  // namespace muster::extender
