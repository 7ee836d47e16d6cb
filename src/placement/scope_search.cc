#include "placement/scope_search.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "placement/exclusive_claims.h"
#include "placement/host_rows.h"
#include "placement/minima.h"
#include "placement/scope_units.h"

namespace muster::placement {
namespace {

constexpr std::size_t kMaxDepth = 4000;       // one stack frame each
constexpr std::size_t kMaxMemory = 400'000;   // dead ends
constexpr std::size_t kLookAheadCells = 512;  // units × hosts

Wanted everything(const Problem& problem) {
  Wanted wanted;
  for (const Kind& kind : problem.kinds) wanted.count.push_back(kind.count);
  wanted.least = problem.pending;
  return wanted;
}

class ScopeSearch {
 public:
  ScopeSearch(Problem& problem, const ScopeQuestion& question, Budget& budget)
      : problem_(problem),
        levels_(*question.levels),
        budget_(budget),
        hosts_(problem, question.hosts, everything(problem)),
        domains_(problem.topology, hosts_),
        rows_(hosts_),
        claims_(problem, domains_),
        minima_(problem),
        units_(units_of(problem, hosts_)),
        slack_(question.leaving == Leaving::kNobody ? 0 : problem.pending - problem.needed) {
    add_scopes();
    if (question.even) parts_ = EvenParts(problem, hosts_, domains_, *question.even);
    if (question.frugal) hold_back();
    class_ = rows_.classes(domains_, parts_);
    add_up();
  }

  Answer run(std::vector<Slot>& slots) {
    if (units_.empty() || problem_.pending + units_.size() > kMaxDepth) return Answer::kOpen;
    if (!minima_.hopeful()) return Answer::kNo;
    const bool found = descend(0, 0, units_[0].count);
    if (!found) return open_ || held_back_ ? Answer::kOpen : Answer::kNo;
    fill_up();
    for (const Put& put : puts_)
      slots.push_back({units_[put.unit].node, units_[put.unit].kind, hosts_.host(put.host), put.count});
    return Answer::kFits;
  }

 private:
  struct Scope {
    const std::vector<DomainId>* domains = nullptr;   // per host, of the level it is held to
    const std::vector<DomainId>* required = nullptr;  // per host, of the level it needs at least
    DomainId domain = kNoDomain;
    uint32_t users = 0;
    std::size_t last_unit = 0;
  };
  struct Put {
    std::size_t unit = 0;
    std::size_t host = 0;
    uint32_t count = 0;
  };

  void add_scopes() {
    scopes_.resize(problem_.nodes.size());
    for (std::size_t u = 0; u < units_.size(); ++u) {
      units_[u].claimants = claims_.claimants(problem_, units_[u].node);
      for (uint32_t node = units_[u].node; node != 0; node = problem_.nodes[node].parent) {
        if (levels_[node] == kClusterLevel) continue;
        units_[u].scopes.push_back(node);
        scopes_[node].domains = &domains_.of(levels_[node]);
        scopes_[node].required = &domains_.of(problem_.nodes[node].level);
        scopes_[node].last_unit = u;
      }
    }
  }

  // Members of the unit the host can take now.
  [[nodiscard]] uint32_t room_on(std::size_t u, std::size_t h, uint32_t most) const {
    return rows_.room(h, units_[u].kind, parts_.allowed(h, most));
  }

  // What later units ask for, and what a step is worth.
  void add_up() {
    const std::size_t resources = hosts_.resources();
    unplaced_ = problem_.pending;
    asked_after_.assign((units_.size() + 1) * resources, 0);
    for (std::size_t u = units_.size(); u-- > 0;)
      for (std::size_t r = 0; r < resources; ++r)
        asked_after_[u * resources + r] =
            asked_after_[(u + 1) * resources + r] +
            static_cast<__int128>(hosts_.demand(units_[u].kind)[r]) * units_[u].count;
    steps_ = 16 + hosts_.size() + problem_.nodes.size() / 2;
    look_ahead_ = units_.size() * hosts_.size() <= kLookAheadCells;
    if (look_ahead_) steps_ += units_.size() * hosts_.size() / 2;
  }

  // Subgroups with a minimum get no more than that for now.
  void hold_back() {
    for (ScopeUnit& unit : units_) {
      const Node& node = problem_.nodes[unit.node];
      if (unit.node == 0 || node.is_slice || !node.minimum || !node.children.empty()) continue;
      const uint32_t enough = *node.minimum > node.bound ? *node.minimum - node.bound : 0;
      const uint32_t others = node.total - node.bound - unit.count;
      const uint32_t least = enough > others ? enough - others : 0;
      const uint32_t out = std::min(slack_, unit.count - std::min(unit.count, std::max(least, 1U)));
      if (out == 0 || others > 0) continue;
      unit.held_back = out;
      unit.count -= out;
      slack_ -= out;
      minima_.leave_out(unit.node, out);
      held_back_ = true;
    }
  }

  // After success: members held back go where there is room beside the others of their subgroup.
  void fill_up() {
    for (std::size_t u = 0; u < units_.size(); ++u) {
      uint32_t left = units_[u].held_back;
      if (left == 0 || !minima_.holds(units_[u].node)) continue;
      for (std::size_t h = 0; h < hosts_.size() && left > 0; ++h) {
        if (!enterable(units_[u], h)) continue;
        const uint32_t count = room_on(u, h, left);
        if (count == 0) continue;
        put(u, h, count);
        left -= count;
      }
    }
  }

  [[nodiscard]] bool enterable(const ScopeUnit& unit, std::size_t h) const {
    if (!hosts_.may(h, unit.kind)) return false;
    for (const uint32_t node : unit.scopes) {
      const Scope& scope = scopes_[node];
      const DomainId domain = (*scope.domains)[h];
      if (domain == kNoDomain || (*scope.required)[h] == kNoDomain) return false;
      if (scope.users > 0 && scope.domain != domain) return false;
    }
    return claims_.allow(unit.claimants, h);
  }

  void put(std::size_t u, std::size_t h, uint32_t count) {
    const ScopeUnit& unit = units_[u];
    puts_.push_back({u, h, count});
    rows_.put(h, unit.kind, count);
    for (const uint32_t node : unit.scopes) {
      scopes_[node].domain = (*scopes_[node].domains)[h];
      scopes_[node].users += count;
    }
    claims_.enter(unit.claimants, h, count);
    minima_.place(unit.node, count);
    unplaced_ -= count;
    parts_.add(h, count);
  }

  void take_back() {
    const Put last = puts_.back();
    const ScopeUnit& unit = units_[last.unit];
    puts_.pop_back();
    rows_.take_back(last.host, unit.kind, last.count);
    for (const uint32_t node : unit.scopes) scopes_[node].users -= last.count;
    claims_.leave(last.host, last.count);
    minima_.take_back(unit.node, last.count);
    unplaced_ += last.count;
    parts_.remove(last.host, last.count);
  }

  // What the rest of the search depends on.
  [[nodiscard]] StatePrint state(std::size_t u, std::size_t floor, uint32_t left) const {
    StatePrint print = rows_.print();
    print.toggle(uint64_t{1} << 40 | u, uint64_t{floor} << 32 | left);
    for (std::size_t node = 1; node < scopes_.size(); ++node)
      if (scopes_[node].users > 0 && scopes_[node].last_unit >= u)
        print.toggle(uint64_t{2} << 40 | node, at(scopes_[node].domain));
    claims_.print(print);
    parts_.print(print);
    if (minima_.some_left_out() || slack_ > 0)
      for (uint32_t node = 0; node < problem_.nodes.size(); ++node)
        print.toggle(uint64_t{4} << 40 | node, minima_.placed(node));
    return print;
  }

  // Whether sums still allow a success.
  [[nodiscard]] bool hopeful(std::size_t u, std::size_t floor, uint32_t left) const {
    if (parts_.owed() > unplaced_) return false;
    if (slack_ == 0) {
      for (std::size_t r = 0; r < hosts_.resources(); ++r)
        if (asked_after_[(u + 1) * hosts_.resources() + r] +
                static_cast<__int128>(hosts_.demand(units_[u].kind)[r]) * left >
            rows_.free(r))
          return false;
    }
    uint64_t missing = 0;
    const std::size_t end = look_ahead_ ? units_.size() : u + 1;
    for (std::size_t i = u; i < end; ++i) {
      const uint32_t wanted = i == u ? left : units_[i].count;
      uint32_t room = 0;
      for (std::size_t h = i == u ? floor : 0; h < hosts_.size() && room < wanted; ++h)
        if (enterable(units_[i], h)) room += room_on(i, h, wanted - room);
      missing += wanted - room;
      if (missing > slack_) return false;
    }
    return true;
  }

  [[nodiscard]] DomainId innermost(std::size_t u, std::size_t h) const {
    return (*scopes_[units_[u].scopes.front()].domains)[h];
  }

  // Members of a unit that the domains of its level hold, where none is chosen yet; else nothing.
  [[nodiscard]] std::map<DomainId, uint32_t> rooms_by_domain(std::size_t u, uint32_t left) const {
    std::map<DomainId, uint32_t> rooms;
    const ScopeUnit& unit = units_[u];
    if (unit.scopes.empty() || scopes_[unit.scopes.front()].users > 0) return rooms;
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      if (!enterable(unit, h)) continue;
      uint32_t& room = rooms[innermost(u, h)];
      room += room_on(u, h, left - std::min(left, room));
    }
    return rooms;
  }

  bool descend(std::size_t u, std::size_t floor, uint32_t left) {
    if (u == units_.size()) return parts_.owed() == 0 && minima_.reached();
    if (left == 0) return next(u);
    if (open_ || !budget_.spend(steps_)) {
      open_ = true;
      return false;
    }
    if (!hopeful(u, floor, left)) return false;
    const StatePrint before = state(u, floor, left);
    if (dead_.count(before) > 0) return false;
    const std::map<DomainId, uint32_t> rooms = rooms_by_domain(u, left);
    std::vector<uint32_t> tried;  // classes of hosts nobody is on
    for (std::size_t h = floor; h < hosts_.size(); ++h) {
      if (!enterable(units_[u], h)) continue;
      if (!rooms.empty() && rooms.at(innermost(u, h)) + slack_ < left) continue;
      if (rows_.untouched(h)) {
        if (std::find(tried.begin(), tried.end(), class_[h]) != tried.end()) continue;
        tried.push_back(class_[h]);
      }
      for (uint32_t count = room_on(u, h, left); count > 0; --count) {
        put(u, h, count);
        if ((!minima_.some_left_out() || minima_.hopeful()) && descend(u, h + 1, left - count)) return true;
        take_back();
        if (open_) return false;
      }
    }
    if (left <= slack_) {
      slack_ -= left;
      minima_.leave_out(units_[u].node, left);
      if (minima_.hopeful() && next(u)) return true;
      minima_.bring_in(units_[u].node, left);
      slack_ += left;
    }
    if (!open_ && dead_.size() < kMaxMemory) dead_.insert(before);
    return false;
  }

  bool next(std::size_t u) { return descend(u + 1, 0, u + 1 < units_.size() ? units_[u + 1].count : 0); }

  Problem& problem_;
  const std::vector<LevelId>& levels_;
  Budget& budget_;
  LocalHosts hosts_;
  HostDomains domains_;
  HostRows rows_;
  ExclusiveClaims claims_;
  EvenParts parts_;
  Minima minima_;
  std::vector<ScopeUnit> units_;
  uint32_t slack_;
  bool open_ = false;
  bool held_back_ = false;
  bool look_ahead_ = false;
  uint64_t steps_ = 0;
  std::vector<Scope> scopes_;
  uint64_t unplaced_ = 0;
  std::vector<__int128> asked_after_;  // per unit and resource: by this unit and later ones
  std::vector<uint32_t> class_;        // see HostRows::classes()
  std::vector<Put> puts_;
  std::unordered_set<StatePrint, StatePrintHash> dead_;
};

}  // namespace

Answer decide_by_scopes(Problem& problem, const ScopeQuestion& question, Budget& budget,
                        std::vector<Slot>& slots) {
  return ScopeSearch(problem, question, budget).run(slots);
}

}  // namespace muster::placement
