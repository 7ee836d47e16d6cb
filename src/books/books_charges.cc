// Who takes room where: pods that are bound, and members that have a reservation.
#include <algorithm>
#include <utility>

#include "books/books.h"
#include "group/quorum.h"

namespace muster::books {

void Books::put(Pod& pod, Charge charge) {
  count_claim(charge, +1);  // first, so that a claim that stays is not given up in between
  take_away(pod);
  if (!stale_) this->charge(charge);
  on_node_[charge.node].push_back(&pod);
  if (charge.reserved) {
    ++reserved_;
    ++reserved_on_[charge.node];
  }
  touch_promises(charge.node);
  pod.second.charge = std::move(charge);
}

void Books::take_away(Pod& pod) {
  if (!pod.second.charge) return;
  const Charge charge = *std::exchange(pod.second.charge, std::nullopt);
  touch_promises(charge.node);
  if (!stale_) {
    if (const auto host = host_of(charge.node))
      state_.uncharge(*host, to_demand(charge.demand), charge.owner);
  }
  count_claim(charge, -1);
  const auto on_node = on_node_.find(charge.node);
  std::erase(on_node->second, &pod);
  if (on_node->second.empty()) on_node_.erase(on_node);
  if (charge.reserved) end_reservation(charge.node);
}

void Books::end_reservation(const std::string& node) {
  --reserved_;
  const auto on_node = reserved_on_.find(node);
  if (--on_node->second == 0) reserved_on_.erase(on_node);
}

void Books::forget_if_blank(Pods::iterator pod) {
  const Entry& kept = pod->second;
  if (!kept.charge && kept.node_set.none() && kept.shape.none()) pods_.erase(pod);
}

void Books::touch_promises(const std::string& node) {
  if (reserved_on_.contains(node)) ++promises_version_;
}

OwnerId Books::owner_of(const group::GroupKey& key, const std::string& subgroup) {
  const auto [owner, is_new] = owners_[key].try_emplace(subgroup, static_cast<OwnerId>(next_owner_));
  next_owner_ += is_new;
  return owner->second;
}

void Books::forget_group(const group::GroupKey& key) {
  owners_.erase(key);
  last_no_.erase(key);
}

void Books::upsert_pod(const kube::Pod& pod) {
  const auto known = pods_.try_emplace(pod.uid).first;
  shapes_.drop(known->second.shape);
  forget_node_set(node_sets_.drop(known->second.node_set));
  if (wants_charge(*known, pod.node_name, pod.ended(), pod.requests))
    charge_bound(*known, {pod.node_name, pod.requests, kNoOwner, kEveryHost, false, ""});
  forget_if_blank(known);
}

void Books::upsert_member(const group::GroupKey& key, const group::Member& member) {
  const auto known = pods_.try_emplace(member.pod.uid).first;
  Entry& kept = known->second;
  if (member.node_set != kEveryHost)
    forget_node_set(node_sets_.hold(kept.node_set, key.ns, member.node_set));
  else
    forget_node_set(node_sets_.drop(kept.node_set));
  if (member.ended())
    shapes_.drop(kept.shape);
  else
    shapes_.hold(kept.shape, member.demand, member.node_set);
  const bool due = wants_charge(*known, member.node, member.ended(), member.demand);
  if (due || claims_otherwise(*known, key, member)) {
    Charge charge = reservation(key, member, member.node);
    charge.reserved = false;
    charge.node_set = kEveryHost;
    charge_bound(*known, std::move(charge));
  }
  forget_if_blank(known);
}

// Whether what the API says is to be charged and is not yet. An unbound pod keeps its reservation; a pod that
// has ended holds nothing.
bool Books::wants_charge(Pod& pod, const std::string& node, bool ended, const ResourceList& demand) {
  const std::optional<Charge>& charge = pod.second.charge;
  if (node.empty() || ended) {
    if (charge && (ended || !charge->reserved)) take_away(pod);
    return false;
  }
  return !charge || charge->reserved || charge->node != node || charge->demand != demand;
}

// Ends the pod's reservation. Where the room is taken already it stays so: nobody gains any meanwhile, who
// would then ask again in vain.
void Books::charge_bound(Pod& pod, Charge charge) {
  std::optional<Charge>& before = pod.second.charge;
  const bool as_promised = before && before->node == charge.node && before->demand == charge.demand &&
                           before->owner == charge.owner && before->exclusive == charge.exclusive;
  if (!as_promised) return put(pod, std::move(charge));
  touch_promises(charge.node);
  if (before->reserved) end_reservation(charge.node);
  before = std::move(charge);
}

void Books::remove_pod(const std::string& uid) {
  const auto known = pods_.find(uid);
  if (known == pods_.end()) return;
  take_away(*known);
  shapes_.drop(known->second.shape);
  forget_node_set(node_sets_.drop(known->second.node_set));
  pods_.erase(known);
}

bool Books::reserve(const group::GroupKey& key, const group::Member& member, const std::string& node) {
  if (!want_resources(member.demand)) return false;
  ClusterState& cluster = state();
  evaluate(member.node_set);
  const auto host = host_of(node);
  if (!host) return false;
  if (cluster.exclusion(member.node_set, *host) != Exclusion::kNone) return false;
  for (const ResourceAmount& asked : to_demand(member.demand)) {
    if (asked.amount > cluster.free(*host, asked.resource)) return false;
  }
  Pod& pod = *pods_.try_emplace(member.pod.uid).first;
  if (pod.second.charge) return false;
  put(pod, reservation(key, member, node));
  return true;
}

bool Books::keep(const group::GroupKey& key, const group::Member& member, const std::string& node) {
  if (!nodes_.contains(node) || !want_resources(member.demand)) return false;
  put(*pods_.try_emplace(member.pod.uid).first, reservation(key, member, node));
  return true;
}

Books::Charge Books::reservation(const group::GroupKey& key, const group::Member& member,
                                 const std::string& node) {
  const Charge* known = charge_of(member.pod.uid);
  if (!member.spec && known)  // what cannot be read loosens nothing
    return {node, member.demand, known->owner, member.node_set, true, known->exclusive};
  const group::Tenure tenure =
      member.spec ? group::tenure_of(*member.spec, member.subgroup) : group::Tenure{};
  return {node, member.demand, owner_of(key, tenure.subgroup), member.node_set, true, tenure.level};
}

void Books::unreserve(const std::string& uid) {
  const auto known = pods_.find(uid);
  if (known == pods_.end() || !known->second.charge || !known->second.charge->reserved) return;
  take_away(*known);
  forget_if_blank(known);
}

}  // namespace muster::books
