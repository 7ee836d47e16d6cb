// Who decides where an arriving pod goes. Each keeps its own state of the cluster.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "packing/openb.h"

namespace muster::bench {

class Packer {
 public:
  virtual ~Packer() = default;
  // Places the pod for good; false when it fits nowhere.
  [[nodiscard]] virtual bool place(const OpenbPod& pod) = 0;
};

// Muster's solver and nothing else. A node is a domain of the level "node"; its devices are hosts in it that
// offer 1,000 thousandths of a GPU each, and one more host in it offers the node's CPU and memory. A pod is a
// group that requires one node: one member for CPU and memory, one member per device. All of the choice
// (which node, which device) is the solver's.
[[nodiscard]] std::unique_ptr<Packer> make_muster(const std::vector<OpenbNode>& nodes,
                                                  const std::vector<OpenbPod>& workload, bool knows_mix);

// Not Muster: a policy of this benchmark that knows the workload's mix of pods and goes where fragmentation
// (FGD's measure, ATC'23) grows least; ties: the node with least CPU left.
[[nodiscard]] std::unique_ptr<Packer> make_gradient(const std::vector<OpenbNode>& nodes,
                                                    const std::vector<OpenbPod>& workload);

// Not Muster either: the node with the least room left over that holds the pod.
[[nodiscard]] std::unique_ptr<Packer> make_best_fit(const std::vector<OpenbNode>& nodes);

}  // namespace muster::bench
