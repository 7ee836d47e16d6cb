// Subgroups and slices decided jointly and exactly: T9 over the tree of domains.
//
// Bottom up. Hosts offer mixes of members. The hosts of a domain fold into the set of mixes the domain can
// hold; scopes held to that level are then closed: members they need become counts of scopes. Domains of the
// next level fold these sets, and so on up to the domain asked about, where the ways of filling the whole
// group are looked up. Going back down names hosts and domains. Exact, since inside a domain only counts
// matter.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "placement/decision.h"
#include "placement/fold.h"
#include "placement/host_options.h"
#include "placement/local_hosts.h"
#include "placement/structure.h"

namespace muster::placement {

class ScopeFrontier {
 public:
  // `targets`: ways of filling the whole group, in order of preference. The fewer they are and the less they
  // need, the smaller the tables.
  ScopeFrontier(Problem& problem, const Structure& structure, std::vector<const Variant*> targets,
                Budget& budget);

  // kFits with the slots of the first target that can be reached, kNo when none can, or kOpen.
  [[nodiscard]] Answer decide(DomainId domain, std::vector<Slot>& slots);

 private:
  // What a domain (or the loose hosts beside domains) was found to hold.
  struct Area {
    std::size_t stage = 0;  // levels closed inside; 0: a host
    bool closed = false;    // the area is a domain of levels_[stage - 1]
    std::size_t host = 0;   // of a host: index into its bunch
    const Vectors* offer = nullptr;
    std::unique_ptr<Vectors> own;
    std::vector<Area> parts;
  };
  // Hosts that are looked at together.
  struct Bunch {
    std::unique_ptr<LocalHosts> hosts;
    std::unique_ptr<HostOptions> options;
    std::vector<std::vector<DomainId>> domains;  // per level, per host
  };
  // Concrete members and scopes that a part contributes, per dimension.
  struct Token {
    HostIndex host = kNoHost;  // of members
    uint32_t count = 0;
    uint32_t scope = UINT32_MAX;  // of a scope: index into scopes_
  };
  using Pool = std::vector<std::vector<Token>>;
  struct FilledScope {
    Pool pool;
  };

  void find_levels();
  void find_caps();
  // A domain of the coarsest level, or a list of hosts.
  struct TopPart {
    DomainId domain = kNoDomain;
    std::vector<HostIndex> hosts;
    double use = 0;  // share of what is wanted that it can hold, over the kinds
  };
  std::vector<TopPart> top_parts(DomainId domain) const;
  std::vector<TopPart> parts_by_host(DomainId domain) const;
  void open_bunch(std::span<const HostIndex> hosts, Bunch& bunch) const;
  bool explore(const Bunch& bunch, std::size_t from, std::size_t to, std::size_t stage, bool closed,
               Area& area);
  bool split(const Bunch& bunch, std::size_t from, std::size_t to, std::size_t stage,
             std::vector<Area>& parts);
  bool fold_parts(const std::vector<Area>& parts, std::size_t stage, Vectors& result);
  bool close(std::size_t stage, HostIndex inside, Vectors& vectors);
  void keep_owners_apart(LevelId level, Vectors& vectors) const;
  void clamp(std::size_t stage, Vectors& vectors) const;

  bool take_area(const Area& area, const Bunch& bunch, std::vector<uint32_t> wanted, Pool& pool);
  void form_scopes(std::size_t stage, const std::vector<uint32_t>& formed, Pool& pool);
  void draw(Pool& from, uint32_t dimension, uint32_t count, Pool& to) const;
  void write(const Variant& variant, Pool& pool, std::vector<Slot>& slots);
  [[nodiscard]] std::vector<uint32_t> target_of(const Variant& variant) const;

  Problem& problem_;
  const Structure& structure_;
  std::vector<const Variant*> targets_;
  Budget& budget_;
  std::size_t width_;
  Wanted wanted_;
  std::vector<LevelId> levels_;  // finest first
  std::size_t tree_ = 0;
  std::vector<std::vector<uint32_t>> caps_;  // per stage: how many of each dimension can still be of use
  std::vector<bool> used_;                   // dimensions some target needs, directly or inside a scope
  std::vector<FilledScope> scopes_;
};

}  // namespace muster::placement
