// The API server's nodes and pods, with watches that lag behind, and the writes that take effect at once.
// Delays, failures and lost replies are its callers' business.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kube/api.h"
#include "sim/timeline.h"

namespace muster::sim {

// One client's view: changes wait here until they are delivered, nodes and pods each in their order.
struct Watch {
  std::deque<kube::Delta<kube::Node>> nodes;
  std::deque<kube::Delta<kube::Pod>> pods;
};

class Api final : public kube::Writer {
 public:
  explicit Api(Timeline& time) : time_(time) {}

  [[nodiscard]] const std::map<std::string, kube::Node>& nodes() const { return nodes_; }
  [[nodiscard]] const std::map<std::string, kube::Pod>& pods() const { return pods_; }
  [[nodiscard]] const kube::Pod* find(const std::string& name, const std::string& uid) const {
    const auto found = pods_.find(name);
    return found != pods_.end() && found->second.uid == uid ? &found->second : nullptr;
  }

  // The watch begins with what there is now.
  void list(Watch& watch);
  void connect(Watch& watch) { watches_.insert(&watch); }
  void disconnect(Watch& watch) { watches_.erase(&watch); }

  void put_node(kube::Node node);
  void remove_node(const std::string& name);
  void put_pod(kube::Pod pod);
  void remove_pod(const std::string& name);

  Result<void> nominate(const kube::PodRef& pod, const std::string& node, const std::string& plan) override;
  Result<void> release(const kube::PodRef& pod) override;
  Result<void> bind(const kube::PodRef& pod, const std::string& node, const kube::StringMap& notes) override;
  Result<kube::Pod> get_pod(const std::string& ns, const std::string& name) override;
  Result<void> evict(const kube::PodRef& pod, kube::Removal how) override;
  Result<void> mark(const kube::PodRef& pod, const std::string& why) override;
  Result<void> set_ready(const kube::PodRef& pod, bool ready) override;
  Result<void> record(const kube::EventRecord&) override { return {}; }

 private:
  Result<kube::Pod> read(const kube::PodRef& ref) const;

  Timeline& time_;
  std::map<std::string, kube::Node> nodes_;
  std::map<std::string, kube::Pod> pods_;
  uint64_t version_ = 0;
  std::set<Watch*> watches_;
};

}  // namespace muster::sim
