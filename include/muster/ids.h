// Dense numbers with types of their own, so that a host is never taken for a domain. All are indexes into
// arrays of the Topology or ClusterState that gave them out and mean nothing to another one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace muster {

enum class HostIndex : uint32_t {};   // position in the depth-first order of the first tree
enum class DomainId : uint32_t {};    // dense over all levels; a host is a domain of the host level
enum class LevelId : uint16_t {};     // 0 the cluster, then the levels of every tree, last the host
enum class ResourceId : uint16_t {};  // a column of the cluster state
enum class NodeSetId : uint32_t {};   // an interned answer to «which hosts may this member use»
enum class OwnerId : uint32_t {};     // whose members a charge is for; given out by the caller, any values

inline constexpr HostIndex kNoHost{UINT32_MAX};
inline constexpr DomainId kNoDomain{UINT32_MAX};
inline constexpr DomainId kClusterDomain{0};
inline constexpr LevelId kClusterLevel{0};
inline constexpr NodeSetId kEveryHost{0};
inline constexpr OwnerId kNoOwner{UINT32_MAX};

constexpr std::size_t at(HostIndex id) { return static_cast<std::size_t>(id); }
constexpr std::size_t at(DomainId id) { return static_cast<std::size_t>(id); }
constexpr std::size_t at(LevelId id) { return static_cast<std::size_t>(id); }
constexpr std::size_t at(ResourceId id) { return static_cast<std::size_t>(id); }
constexpr std::size_t at(NodeSetId id) { return static_cast<std::size_t>(id); }

}  // namespace muster
