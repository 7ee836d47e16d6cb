// Mixed kinds in as few parts of a domain as a quick packer manages.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "placement/class_packer.h"
#include "placement/host_classes.h"
#include "placement/slots.h"

namespace muster::placement {

class Narrowing {
 public:
  // The classes are kept from one domain to the next.
  Narrowing(Problem& problem, const Wanted& wanted, Budget& budget)
      : problem_(problem), budget_(budget), classes_(problem, wanted), packer_(classes_) {}

  // Places all wanted members: level by level below the domain, in the fewest parts (the most useful first)
  // for which the quick packer succeeds. Nothing when it fails even on the whole domain, which proves
  // nothing. A host is looked at once, whatever the number of levels and tries.
  [[nodiscard]] std::optional<std::vector<Slot>> pack(DomainId domain);

 private:
  // A stretch of the domain's hosts, by position among them: a domain below, or one host.
  struct Part {
    DomainId domain = kNoDomain;
    uint32_t first = 0;
    uint32_t last = 0;  // exclusive
    double use = 0;     // share of what is wanted that it can hold, over the kinds
    bool busy = false;
  };
  // Hosts of one class, in the order in which classes are drawn upon.
  struct Stock {
    uint32_t c = 0;
    uint32_t hosts = 0;
    double use = 0;
  };

  void open(DomainId domain);
  [[nodiscard]] uint32_t class_at(uint32_t position);
  void split(const Part& part, std::vector<Part>& parts);
  void add(DomainId domain, uint32_t first, uint32_t last, std::vector<Part>& parts) const;
  [[nodiscard]] bool falls_into_hosts(const Part& part) const;
  void count(const Part& part, bool in);
  void count_first(const std::vector<Part>& parts, std::size_t wanted);
  [[nodiscard]] std::size_t least_prefix(const std::vector<Part>& parts) const;
  bool fewest_parts(std::vector<Part>& parts);
  bool fewest_hosts(const std::vector<Part>& parts);
  void draw(std::size_t hosts);
  [[nodiscard]] std::size_t least_hosts() const;
  bool pack_counted();
  [[nodiscard]] std::vector<Slot> write(const std::vector<Part>& parts);

  Problem& problem_;
  Budget& budget_;
  HostClasses classes_;
  ClassPacker packer_;
  std::size_t tree_ = 0;
  LevelId finest_ = kClusterLevel;    // above hosts
  std::span<const HostIndex> hosts_;  // of the domain
  std::vector<uint32_t> class_at_;    // by position
  std::vector<uint32_t> counted_;     // hosts of the parts in question, by class
  std::size_t in_count_ = 0;          // parts counted
  std::vector<Stock> stock_;
};

}  // namespace muster::placement
