#include "placement/scope_search.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <unordered_set>

#include "placement/local_hosts.h"
#include "placement/minima.h"

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

// 128 bits stand for a state: two different ones share them with a probability of 2^-100 in the largest
// search there can be.
struct Print {
  uint64_t high = 0;
  uint64_t low = 0;

  static uint64_t mixed(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
  }
  void toggle(uint64_t a, uint64_t b) {
    high ^= mixed(mixed(a + 0x9E3779B97F4A7C15ULL) + b);
    low ^= mixed(mixed(b + 0xD1B54A32D192ED03ULL) ^ (a * 0x2545F4914F6CDD1DULL));
  }
  friend bool operator==(const Print&, const Print&) = default;
};
struct PrintHash {
  std::size_t operator()(const Print& print) const { return print.low; }
};

class ScopeSearch {
 public:
  ScopeSearch(Problem& problem, const ScopeQuestion& question, Budget& budget)
      : problem_(problem),
        levels_(*question.levels),
        budget_(budget),
        hosts_(problem, question.hosts, everything(problem)),
        minima_(problem),
        slack_(question.leaving == Leaving::kNobody ? 0 : problem.pending - problem.needed) {
    add_units();
    add_scopes();
    add_exclusive();
    if (question.even) add_parts(*question.even);
    if (question.frugal) hold_back();
    add_rows();
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
  // Members of one node and kind.
  struct Unit {
    uint32_t node = 0;
    uint32_t kind = 0;
    uint32_t count = 0;
    uint32_t held_back = 0;
    std::vector<uint32_t> scopes;  // nodes above that are held to a level, the unit's own first
    std::vector<uint32_t> owner;   // per exclusive level: the nearest node above that claims it, 0 none
  };
  struct Scope {
    const std::vector<DomainId>* domains = nullptr;   // per host, of the level it is held to
    const std::vector<DomainId>* required = nullptr;  // per host, of the level it needs at least
    DomainId domain = kNoDomain;
    uint32_t users = 0;
    std::size_t last_unit = 0;
  };
  // Who is in the domains of an exclusive level.
  struct Claims {
    LevelId level = kClusterLevel;
    std::vector<uint32_t> domain;  // per host, dense
    std::vector<uint32_t> owner;   // per dense domain
    std::vector<uint32_t> users;
  };
  // Domains that are to be filled evenly.
  struct Parts {
    std::vector<uint32_t> of;     // per host
    std::vector<uint32_t> least;  // per part
    std::vector<uint32_t> count;
    uint32_t most = UINT32_MAX;
    uint64_t owed = 0;  // members still missing from least, over all parts
  };
  struct Put {
    std::size_t unit = 0;
    std::size_t host = 0;
    uint32_t count = 0;
  };

  // Subgroups that have to stand come before those that need not, large ones before small ones.
  void add_units() {
    std::vector<double> size;
    for (uint32_t kind = 0; kind < problem_.kinds.size(); ++kind) size.push_back(size_of(kind));
    std::vector<uint32_t> top(problem_.nodes.size(), 0);
    std::vector<double> volume(problem_.nodes.size(), 0);
    for (uint32_t node = 1; node < problem_.nodes.size(); ++node)
      top[node] = problem_.nodes[node].parent == 0 ? node : top[problem_.nodes[node].parent];
    for (uint32_t node = 0; node < problem_.nodes.size(); ++node) {
      for (const auto& direct : problem_.nodes[node].direct) {
        const auto count = static_cast<uint32_t>(direct.members.size());
        units_.push_back({node, direct.kind, count, 0, {}, {}});
        volume[top[node]] += size[direct.kind] * count;
      }
    }
    std::stable_sort(units_.begin(), units_.end(), [&](const Unit& a, const Unit& b) {
      const uint32_t of_a = top[a.node];
      const uint32_t of_b = top[b.node];
      if (of_a != of_b) {
        const bool must_a = problem_.nodes[of_a].minimum.has_value();
        const bool must_b = problem_.nodes[of_b].minimum.has_value();
        if (must_a != must_b) return must_a;
        return volume[of_a] != volume[of_b] ? volume[of_a] > volume[of_b] : of_a < of_b;
      }
      return a.node != b.node ? a.node < b.node : size[a.kind] > size[b.kind];
    });
  }

  // The largest share of what all hosts have free.
  [[nodiscard]] double size_of(uint32_t kind) const {
    double size = 0;
    for (std::size_t r = 0; r < hosts_.resources(); ++r) {
      double free = 1;
      for (std::size_t h = 0; h < hosts_.size(); ++h) free += static_cast<double>(hosts_.free(h)[r]);
      size = std::max(size, static_cast<double>(hosts_.demand(kind)[r]) / free);
    }
    return size;
  }

  const std::vector<DomainId>* domains_of(LevelId level) {
    auto& of = domains_[level];
    if (of.empty())
      for (std::size_t h = 0; h < hosts_.size(); ++h)
        of.push_back(problem_.topology.domain_of(hosts_.host(h), level));
    return &of;
  }

  void add_scopes() {
    scopes_.resize(problem_.nodes.size());
    for (std::size_t u = 0; u < units_.size(); ++u) {
      for (uint32_t node = units_[u].node; node != 0; node = problem_.nodes[node].parent) {
        if (levels_[node] == kClusterLevel) continue;
        units_[u].scopes.push_back(node);
        scopes_[node].domains = domains_of(levels_[node]);
        scopes_[node].required = domains_of(problem_.nodes[node].level);
        scopes_[node].last_unit = u;
      }
    }
  }

  void add_exclusive() {
    for (uint32_t node = 1; node < problem_.nodes.size(); ++node) {
      const LevelId level = problem_.nodes[node].exclusive;
      const auto same = [&](const Claims& claims) { return claims.level == level; };
      if (level == kClusterLevel || std::any_of(claims_.begin(), claims_.end(), same)) continue;
      Claims& claims = claims_.emplace_back();
      claims.level = level;
      std::map<DomainId, uint32_t> dense;
      for (const DomainId domain : *domains_of(level))
        claims.domain.push_back(dense.emplace(domain, static_cast<uint32_t>(dense.size())).first->second);
      claims.owner.assign(dense.size(), 0);
      claims.users.assign(dense.size(), 0);
    }
    for (Unit& unit : units_) {
      for (const Claims& claims : claims_) {
        uint32_t node = unit.node;
        while (node != 0 && problem_.nodes[node].exclusive != claims.level)
          node = problem_.nodes[node].parent;
        unit.owner.push_back(node);
      }
    }
  }

  void add_parts(const Evenness& even) {
    std::map<DomainId, uint32_t> dense;
    std::vector<uint64_t> room;
    parts_.most = even.most;
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      const uint32_t part =
          dense.emplace((*domains_of(even.level))[h], static_cast<uint32_t>(dense.size())).first->second;
      parts_.of.push_back(part);
      room.resize(dense.size(), 0);
      uint32_t most = 0;
      for (std::size_t kind = 0; kind < hosts_.kinds(); ++kind)
        if (hosts_.may(h, kind))
          most = std::max(most, hosts_.room(hosts_.free(h), kind, problem_.kinds[kind].count));
      room[part] += most;
    }
    parts_.count.assign(dense.size(), 0);
    for (const HostIndex host : problem_.bound_hosts)
      if (const auto part = dense.find(problem_.topology.domain_of(host, even.level)); part != dense.end())
        ++parts_.count[part->second];
    for (std::size_t part = 0; part < dense.size(); ++part) {
      const uint64_t possible = room[part] + parts_.count[part];
      parts_.least.push_back(static_cast<uint32_t>(std::min<uint64_t>(even.least, possible)));
      if (parts_.count[part] < parts_.least[part]) parts_.owed += parts_.least[part] - parts_.count[part];
    }
  }

  // Changes the count of the host's part; `owed` follows.
  void count_part(std::size_t h, uint32_t count, bool up) {
    if (parts_.of.empty()) return;
    const uint32_t part = parts_.of[h];
    const auto missing = [&] {
      return parts_.least[part] > parts_.count[part] ? parts_.least[part] - parts_.count[part] : 0U;
    };
    parts_.owed -= missing();
    parts_.count[part] = up ? parts_.count[part] + count : parts_.count[part] - count;
    parts_.owed += missing();
  }

  // Members of the unit the host can take now.
  [[nodiscard]] uint32_t room_on(std::size_t u, std::size_t h, uint32_t most) const {
    if (!parts_.of.empty()) {
      const uint32_t here = parts_.count[parts_.of[h]];
      most = std::min(most, parts_.most > here ? parts_.most - here : 0);
    }
    return hosts_.room(row(h), units_[u].kind, most);
  }

  void add_rows() {
    const std::size_t resources = hosts_.resources();
    rows_.assign(hosts_.size() * resources, 0);
    free_.assign(resources, 0);
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      std::copy(hosts_.free(h), hosts_.free(h) + resources, row(h));
      for (std::size_t r = 0; r < resources; ++r) free_[r] += row(h)[r];
    }
    touched_.assign(hosts_.size(), 0);
    unplaced_ = problem_.pending;
    asked_after_.assign((units_.size() + 1) * resources, 0);
    for (std::size_t u = units_.size(); u-- > 0;)
      for (std::size_t r = 0; r < resources; ++r)
        asked_after_[u * resources + r] =
            asked_after_[(u + 1) * resources + r] +
            static_cast<__int128>(hosts_.demand(units_[u].kind)[r]) * units_[u].count;
    find_classes();
    steps_ = 16 + hosts_.size() + problem_.nodes.size() / 2;
    look_ahead_ = units_.size() * hosts_.size() <= kLookAheadCells;
    if (look_ahead_) steps_ += units_.size() * hosts_.size() / 2;
  }

  // Hosts that are the same to everything the search looks at, as long as nobody is on them.
  void find_classes() {
    std::map<std::string, uint32_t> known;
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      std::string key(reinterpret_cast<const char*>(row(h)), hosts_.resources() * sizeof(int64_t));
      for (std::size_t kind = 0; kind < hosts_.kinds(); ++kind) key += hosts_.may(h, kind) ? '+' : '-';
      for (const auto& [level, of] : domains_) {
        if (level == problem_.topology.host_level()) continue;
        key.append(reinterpret_cast<const char*>(&of[h]), sizeof(DomainId));
      }
      if (!parts_.of.empty()) {
        const uint32_t part = parts_.of[h];
        key.append(reinterpret_cast<const char*>(&parts_.count[part]), sizeof(uint32_t));
        key.append(reinterpret_cast<const char*>(&parts_.least[part]), sizeof(uint32_t));
      }
      class_.push_back(known.emplace(std::move(key), static_cast<uint32_t>(known.size())).first->second);
    }
  }

  // Subgroups with a minimum get no more than that for now.
  void hold_back() {
    for (Unit& unit : units_) {
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

  int64_t* row(std::size_t h) { return rows_.data() + h * hosts_.resources(); }
  [[nodiscard]] const int64_t* row(std::size_t h) const { return rows_.data() + h * hosts_.resources(); }

  [[nodiscard]] bool enterable(const Unit& unit, std::size_t h) const {
    if (!hosts_.may(h, unit.kind)) return false;
    for (const uint32_t node : unit.scopes) {
      const Scope& scope = scopes_[node];
      const DomainId domain = (*scope.domains)[h];
      if (domain == kNoDomain || (*scope.required)[h] == kNoDomain) return false;
      if (scope.users > 0 && scope.domain != domain) return false;
    }
    for (std::size_t c = 0; c < claims_.size(); ++c) {
      const uint32_t domain = claims_[c].domain[h];
      // Where a host is in no domain of the level there is nothing to share.
      if (problem_.topology.domain_of(hosts_.host(h), claims_[c].level) == kNoDomain) continue;
      if (claims_[c].users[domain] > 0 && claims_[c].owner[domain] != unit.owner[c]) return false;
    }
    return true;
  }

  void put(std::size_t u, std::size_t h, uint32_t count) {
    const Unit& unit = units_[u];
    puts_.push_back({u, h, count});
    ++touched_[h];
    print_row(h);
    take(unit, h, static_cast<int64_t>(count));
    print_row(h);
    for (const uint32_t node : unit.scopes) {
      scopes_[node].domain = (*scopes_[node].domains)[h];
      scopes_[node].users += count;
    }
    for (std::size_t c = 0; c < claims_.size(); ++c) {
      claims_[c].owner[claims_[c].domain[h]] = unit.owner[c];
      claims_[c].users[claims_[c].domain[h]] += count;
    }
    minima_.place(unit.node, count);
    unplaced_ -= count;
    count_part(h, count, true);
  }

  void take_back() {
    const Put last = puts_.back();
    const Unit& unit = units_[last.unit];
    puts_.pop_back();
    --touched_[last.host];
    print_row(last.host);
    take(unit, last.host, -static_cast<int64_t>(last.count));
    print_row(last.host);
    for (const uint32_t node : unit.scopes) scopes_[node].users -= last.count;
    for (Claims& claims : claims_) claims.users[claims.domain[last.host]] -= last.count;
    minima_.take_back(unit.node, last.count);
    unplaced_ += last.count;
    count_part(last.host, last.count, false);
  }

  void take(const Unit& unit, std::size_t h, int64_t count) {
    for (std::size_t r = 0; r < hosts_.resources(); ++r) {
      const int64_t amount = hosts_.demand(unit.kind)[r] * count;
      row(h)[r] -= amount;
      free_[r] -= amount;
    }
  }

  void print_row(std::size_t h) {
    for (std::size_t r = 0; r < hosts_.resources(); ++r)
      print_.toggle(h * hosts_.resources() + r, static_cast<uint64_t>(row(h)[r]) + 1);
  }

  // What the rest of the search depends on.
  [[nodiscard]] Print state(std::size_t u, std::size_t floor, uint32_t left) const {
    Print print = print_;
    print.toggle(uint64_t{1} << 40 | u, uint64_t{floor} << 32 | left);
    for (std::size_t node = 1; node < scopes_.size(); ++node)
      if (scopes_[node].users > 0 && scopes_[node].last_unit >= u)
        print.toggle(uint64_t{2} << 40 | node, at(scopes_[node].domain));
    for (std::size_t c = 0; c < claims_.size(); ++c)
      for (std::size_t d = 0; d < claims_[c].users.size(); ++d)
        if (claims_[c].users[d] > 0)
          print.toggle((uint64_t{3} << 40) + (uint64_t{c} << 32 | d), claims_[c].owner[d]);
    for (std::size_t part = 0; part < parts_.count.size(); ++part)
      print.toggle(uint64_t{5} << 40 | part, parts_.count[part]);
    if (minima_.some_left_out() || slack_ > 0)
      for (uint32_t node = 0; node < problem_.nodes.size(); ++node)
        print.toggle(uint64_t{4} << 40 | node, minima_.placed(node));
    return print;
  }

  // Whether sums still allow a success.
  [[nodiscard]] bool hopeful(std::size_t u, std::size_t floor, uint32_t left) const {
    if (parts_.owed > unplaced_) return false;
    if (slack_ == 0) {
      for (std::size_t r = 0; r < hosts_.resources(); ++r)
        if (asked_after_[(u + 1) * hosts_.resources() + r] +
                static_cast<__int128>(hosts_.demand(units_[u].kind)[r]) * left >
            free_[r])
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
    const Unit& unit = units_[u];
    if (unit.scopes.empty() || scopes_[unit.scopes.front()].users > 0) return rooms;
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      if (!enterable(unit, h)) continue;
      uint32_t& room = rooms[innermost(u, h)];
      room += room_on(u, h, left - std::min(left, room));
    }
    return rooms;
  }

  bool descend(std::size_t u, std::size_t floor, uint32_t left) {
    if (u == units_.size()) return parts_.owed == 0 && minima_.reached();
    if (left == 0) return next(u);
    if (open_ || !budget_.spend(steps_)) {
      open_ = true;
      return false;
    }
    if (!hopeful(u, floor, left)) return false;
    const Print before = state(u, floor, left);
    if (dead_.count(before) > 0) return false;
    const std::map<DomainId, uint32_t> rooms = rooms_by_domain(u, left);
    std::vector<uint32_t> tried;  // classes of hosts nobody is on
    for (std::size_t h = floor; h < hosts_.size(); ++h) {
      if (!enterable(units_[u], h)) continue;
      if (!rooms.empty() && rooms.at(innermost(u, h)) + slack_ < left) continue;
      if (touched_[h] == 0) {
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
  Minima minima_;
  uint32_t slack_;
  bool open_ = false;
  bool held_back_ = false;
  bool look_ahead_ = false;
  uint64_t steps_ = 0;
  std::vector<Unit> units_;
  std::vector<Scope> scopes_;
  std::vector<Claims> claims_;
  Parts parts_;  // empty: no wish
  uint64_t unplaced_ = 0;
  std::map<LevelId, std::vector<DomainId>> domains_;  // per level and host
  std::vector<int64_t> rows_;                         // free room
  std::vector<__int128> free_;                        // per resource, of all hosts
  std::vector<__int128> asked_after_;                 // per unit and resource: by this unit and later ones
  std::vector<uint32_t> touched_;
  std::vector<uint32_t> class_;
  std::vector<Put> puts_;
  Print print_;
  std::unordered_set<Print, PrintHash> dead_;
};

}  // namespace

Answer decide_by_scopes(Problem& problem, const ScopeQuestion& question, Budget& budget,
                        std::vector<Slot>& slots) {
  return ScopeSearch(problem, question, budget).run(slots);
}

}  // namespace muster::placement
