// The keys that Muster reads and writes on pods. What each asks for, and which values it takes, is in
// docs/reference.md. Messages to users spell a key out, so that they can be searched for.
#pragma once

#include <string_view>

namespace muster::keys {

// Every annotation, gate and condition of Muster begins with it.
inline constexpr std::string_view kPrefix = "muster.dev/";

// Annotations of the group: all its members repeat them.
inline constexpr char kGroupName[] = "muster.dev/group-name";
inline constexpr char kMinMember[] = "muster.dev/min-member";
inline constexpr char kTopologyRequired[] = "muster.dev/topology-required";
inline constexpr char kTopologyPreferred[] = "muster.dev/topology-preferred";
inline constexpr char kSlices[] = "muster.dev/slices";
inline constexpr char kGroupSpec[] = "muster.dev/group-spec";
inline constexpr char kHoldTimeout[] = "muster.dev/hold-timeout";
inline constexpr char kFailurePolicy[] = "muster.dev/failure-policy";
inline constexpr char kFailureGrace[] = "muster.dev/failure-grace";
inline constexpr char kDisruptionBudgets[] = "muster.dev/disruption-budgets";

// Annotations of one member.
inline constexpr char kSubgroup[] = "muster.dev/subgroup";
inline constexpr char kRank[] = "muster.dev/rank";  // Muster writes the rank it gave into the binding

// Annotations that Muster writes: the plan with the nomination and the binding, the mark of a group that lets
// go before its members are evicted, the rest with the binding.
inline constexpr char kPlan[] = "muster.dev/plan";
inline constexpr char kLetGo[] = "muster.dev/let-go";
inline constexpr char kDomain[] = "muster.dev/domain";
inline constexpr char kRestarts[] = "muster.dev/restarts";

// The scheduling gate that holds a member.
inline constexpr char kHold[] = "muster.dev/hold";

// The readiness gate and condition that makes the members of a group ready as one.
inline constexpr char kGroupReady[] = "muster.dev/group-ready";

}  // namespace muster::keys
