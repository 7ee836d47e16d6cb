// The mix of shapes that is asked for these days, and how much of a domain's free devices it cannot use.
//
// Where several domains hold a group equally well, the solver takes the one in which the measure grows least:
// room goes to waste where no request that is likely to come can use it.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "muster/cluster.h"
#include "muster/ids.h"

namespace muster {

// Alike members of a shape.
struct MixPart {
  Demand demand;
  NodeSetId node_set = kEveryHost;
  uint32_t count = 1;  // ≥ 1
};

// What a request asks of one domain: every part has to fit into it.
struct MixShape {
  std::vector<MixPart> parts;
  double weight = 1;  // > 0, relative to the others
};

// Belongs to the state that it was made for: numbers of resources and node sets are that one's. Remembers
// what it has worked out, so that the same free room is not measured twice; not thread-safe.
class Mix {
 public:
  // `level`: of the domains that a shape has to fit into, for pods the host level. A level that has
  // others between itself and the hosts is measured, but nothing is chosen by it. Shapes that ask for no
  // device are left out. Without any shape the measure is 0 everywhere, and the choice is best fit.
  // REQUIRES: at most kMaxNodeSets different node sets.
  Mix(const ClusterState& state, LevelId level, std::vector<MixShape> shapes);

  static constexpr std::size_t kMaxNodeSets = 63;

  [[nodiscard]] LevelId level() const { return level_; }
  // What shapes ask for; row() has them in this order.
  [[nodiscard]] std::span<const ResourceId> resources() const { return resources_; }

  // A host as shapes see it: which node sets admit it, then its free room by resource.
  [[nodiscard]] std::size_t width() const { return 1 + resources_.size(); }
  void read(const ClusterState& state, HostIndex host, int64_t* row) const;

  // Expected fragmentation of a domain whose hosts have these rows (in any order), in millionths; a device
  // resource counts in units of the largest demand for it. Per shape: free devices on hosts that can take
  // none of its parts, or all of the domain if the shape does not fit (FGD, Weng et al., ATC'23), and a
  // twentieth of what is left of the devices when the domain is filled with this shape alone. The first does
  // not see that CPU will run out before devices do; the second does.
  // O(shapes × parts × hosts × resources); O(hosts) for rows seen lately.
  [[nodiscard]] int64_t fragmentation(std::vector<int64_t>& rows);

 private:
  struct Need {
    std::size_t resource = 0;  // index into resources_
    int64_t amount = 0;
    bool device = false;
  };
  struct Part {
    std::vector<Need> needs;
    std::size_t node_set = 0;  // bit of a row's first word
    int64_t count = 1;
    bool device = false;  // asks for one
  };
  struct Asked {
    std::vector<Part> parts;
    std::vector<Need> devices;  // of all parts together
    double weight = 0;          // of all: 1
  };
  struct RowsHash {
    using is_transparent = void;
    std::size_t operator()(std::span<const int64_t> rows) const;
  };
  struct RowsEqual {
    using is_transparent = void;
    bool operator()(std::span<const int64_t> a, std::span<const int64_t> b) const;
  };

  std::size_t intern(ResourceId resource);
  std::size_t intern(NodeSetId node_set);
  [[nodiscard]] Asked compile(const ClusterState& state, const MixShape& shape);
  void sort_hosts(std::vector<int64_t>& rows);
  [[nodiscard]] double measure(std::span<const int64_t> rows) const;
  [[nodiscard]] double wasted(const Asked& shape, std::span<const int64_t> rows,
                              std::vector<uint8_t>& useful) const;

  LevelId level_;
  std::vector<ResourceId> resources_;
  std::vector<double> unit_;  // per resource: the largest demand
  std::vector<NodeSetId> node_sets_;
  std::vector<Asked> shapes_;
  std::unordered_map<std::vector<int64_t>, int64_t, RowsHash, RowsEqual> known_;
  std::vector<std::vector<int64_t>> sorted_;  // of sort_hosts()
};

}  // namespace muster
