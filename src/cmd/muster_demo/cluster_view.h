// What the demo knows of the cluster: hosts and pods, kept by the API's watch events. A value without threads
// or I/O.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "embedded/json.h"

namespace muster::demo {

using embedded::Json;

inline constexpr const char* kGpu = "nvidia.com/gpu";

struct Host {
  std::string name;
  std::string block;
  std::string rack;
  int gpus = 0;
};

struct PodView {
  std::string ns;
  std::string name;
  std::string uid;
  std::string group;  // annotation muster.dev/group-name, empty for a pod of no group
  std::string scheduler;
  std::string node;       // where it is bound
  std::string nominated;  // where it is planned
  bool gated = false;
  int gpus = 0;
  Json object;
};

class ClusterView {
 public:
  // From a NodeList. Hosts are sorted by block, rack and name.
  void set_hosts(const Json& node_list);
  // One line of a pod watch. Bookmarks change nothing.
  void apply(const Json& event);

  [[nodiscard]] const std::vector<Host>& hosts() const { return hosts_; }
  // By uid, in the order in which the pods were first seen.
  [[nodiscard]] std::vector<const PodView*> pods() const;
  [[nodiscard]] std::vector<const PodView*> members(const std::string& group) const;
  [[nodiscard]] std::vector<const PodView*> pods_on(const std::string& host) const;
  [[nodiscard]] const Host* host(const std::string& name) const;

  // GPUs of bound and of nominated pods are used.
  [[nodiscard]] int free_gpus(const Host& host) const;
  // Hosts of a rack with all their GPUs free.
  [[nodiscard]] int free_hosts(const std::string& block, const std::string& rack) const;

 private:
  struct Seen {
    std::size_t order = 0;
    PodView pod;
  };
  std::vector<Host> hosts_;
  std::map<std::string, Seen> pods_;  // by uid
  std::map<std::string, int> used_;   // host name → GPUs
  std::size_t seen_ = 0;
};

}  // namespace muster::demo
