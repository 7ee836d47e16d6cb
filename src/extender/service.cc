#include "extender/service.h"

#include <vector>

#include "extender/replies.h"
#include "extender/short_hosts.h"
#include "kube/decode.h"

namespace muster::extender {
namespace {

constexpr std::string_view kPromised = "muster: the free room is promised to a group";

Answer bad_call(const Error& error) { return {400, error_reply(error.message)}; }

Answer foreign(const FilterCall& call, const Promises& promises) {
  if (promises.empty()) return {200, all_nodes_reply(call.names)};
  auto pod = kube::decode_pod(call.pod_json);
  if (!pod) return bad_call(Error{ErrorCode::kInvalid, "filter: Pod: " + pod.error().message});
  ShortHosts hosts(promises, pod->requests);
  if (hosts.empty()) return {200, all_nodes_reply(call.names)};
  return {200, some_nodes_reply(call.names, hosts, kPromised)};
}

}  // namespace

Answer Service::filter(std::string_view body) {
  auto call = read_filter_call(body);
  if (!call) return bad_call(call.error());
  FilterDecision decision = decisions_.filter(call->pod);
  if (const auto* other = std::get_if<Foreign>(&decision)) return foreign(*call, *other->promises);
  if (const auto* plan = std::get_if<Planned>(&decision)) return planned(*call, plan->node);
  return {200, no_node_reply(call->names, std::get<Held>(decision).reason)};
}

Answer Service::planned(const FilterCall& call, const std::string& node) {
  if (call.names.contains(node)) return {200, one_node_reply(node)};
  decisions_.node_refused(call.pod, node);
  return {200, no_node_reply(call.names, fmt::format("muster: kube-scheduler does not offer {}, which was "
                                                     "planned for this pod; it is planned again",
                                                     node))};
}

Answer Service::bind(std::string_view body) {
  auto call = read_bind_call(body);
  if (!call) return bad_call(call.error());
  auto bound = decisions_.bind(*call);
  return {200, error_reply(bound ? std::string_view() : std::string_view(bound.error().message))};
}

Answer Service::preempt(std::string_view body) {
  auto call = read_preempt_call(body);
  if (!call) return bad_call(call.error());
  std::vector<const Candidate*> left;
  for (const Candidate& candidate : call->candidates) {
    if (decisions_.may_preempt(call->pod, candidate.victim_uids)) left.push_back(&candidate);
  }
  return {200, preempt_reply(left)};
}

}  // namespace muster::extender
