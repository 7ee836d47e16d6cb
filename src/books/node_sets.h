// The different answers to «which nodes may this pod use» that members give, each with a number. A number is
// used again when the last member that gave its answer has gone: a tenant who makes pods with ever new node
// selectors occupies no more than those that exist.
//
// Thread rule: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kube/fingerprint.h"
#include "kube/types.h"
#include "muster/ids.h"

namespace muster::books {

class NodeSets {
 public:
  struct Interned {
    NodeSetId id;
    bool is_new = false;    // a number that stood for nothing, or for something else, until now
    bool is_added = false;  // a number beyond all before
  };
  // The set's number. One that no pod holds afterwards stays until hold() and drop() have come to it. O(log
  // n).
  [[nodiscard]] Interned intern(const kube::NodeSet& set);

  // What one pod uses, kept by its owner. It has to be dropped before it is destroyed.
  class Use;

  // The pod uses this set, and no longer the one that it used before. Returns the number that came free, or
  // kEveryHost.
  NodeSetId hold(Use& use, const std::string& ns, NodeSetId id);
  NodeSetId drop(Use& use);

  // REQUIRES: the number stands for a set.
  [[nodiscard]] const kube::NodeSet& at(NodeSetId id) const { return sets_[index(id)].set; }
  // Numbers 1 to count() exist; some may stand for nothing.
  [[nodiscard]] std::size_t count() const { return sets_.size(); }
  // How many different sets the pods of a namespace hold.
  [[nodiscard]] std::size_t held_by(const std::string& ns) const;
  // The number of this set, if some pod of the namespace holds it; else kEveryHost.
  [[nodiscard]] NodeSetId held_by(const std::string& ns, const kube::NodeSet& set) const;

 private:
  struct Entry {
    kube::NodeSet set;
    kube::Fingerprint fingerprint{};
    uint32_t pods = 0;
  };
  using Namespaces = std::map<std::string, std::map<NodeSetId, uint32_t>>;
  static std::size_t index(NodeSetId id) { return muster::at(id) - 1; }

  std::vector<Entry> sets_;  // by number - 1
  std::map<kube::Fingerprint, NodeSetId> numbers_;
  std::vector<NodeSetId> free_;
  Namespaces of_namespace_;  // pods by namespace and set
};

class NodeSets::Use {
 public:
  [[nodiscard]] bool none() const { return id_ == kEveryHost; }

 private:
  friend class NodeSets;
  NodeSetId id_ = kEveryHost;
  Namespaces::iterator of_;
};

}  // namespace muster::books
