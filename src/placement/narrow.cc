#include "placement/narrow.h"

#include <algorithm>

#include "placement/subdomains.h"

namespace muster::placement {
namespace {

constexpr uint32_t kUnknown = UINT32_MAX - 1;

// The smallest number from `least` to `most` for which `holds` is true, as far as looking at few of them
// tells: steps grow until it is, then halve. The last look is at the number returned; 0: none was found.
template <typename Holds>
std::size_t smallest(std::size_t least, std::size_t most, Holds holds) {
  if (least > most) return 0;
  std::size_t failed = least - 1;
  std::size_t at = least;
  std::size_t step = 1 + least / 16;
  while (!holds(at)) {
    if (at == most) return 0;
    failed = at;
    at = std::min(most, at + step);
    step *= 2;
  }
  std::size_t found = at;
  while (found - failed > 1) {
    at = failed + (found - failed) / 2;
    (holds(at) ? found : failed) = at;
  }
  if (at != found) (void)holds(found);
  return found;
}

}  // namespace

std::optional<std::vector<Slot>> Narrowing::pack(DomainId domain) {
  open(domain);
  std::vector<Part> chosen{{domain, 0, static_cast<uint32_t>(hosts_.size()), 0, false}};
  bool packed = false;
  while (!std::all_of(chosen.begin(), chosen.end(), [&](const Part& it) { return falls_into_hosts(it); })) {
    std::vector<Part> parts;
    for (const Part& it : chosen) split(it, parts);
    if (!fewest_parts(parts)) break;
    packed = true;
    chosen = std::move(parts);
    std::sort(chosen.begin(), chosen.end(), [](const Part& a, const Part& b) { return a.first < b.first; });
  }
  if (!fewest_hosts(chosen)) {
    // The budget ended; on all of these hosts it was found before.
    if (!packed) return std::nullopt;
    draw(hosts_.size());
    if (!packer_.pack(counted_, classes_.wanted())) return std::nullopt;
  }
  return write(chosen);
}

void Narrowing::open(DomainId domain) {
  tree_ = tree_of(problem_.topology, domain);
  hosts_ = problem_.topology.hosts(domain);
  class_at_.assign(hosts_.size(), kUnknown);
  const auto levels = problem_.topology.tree_levels(tree_);
  finest_ = levels[levels.size() - 2];
}

uint32_t Narrowing::class_at(uint32_t position) {
  uint32_t& c = class_at_[position];
  if (c == kUnknown) c = classes_.of(hosts_[position]);
  return c;
}

// A host, or a domain with nothing but hosts below.
bool Narrowing::falls_into_hosts(const Part& part) const {
  const LevelId own = problem_.topology.level_of(part.domain);
  return own == problem_.topology.host_level() || own == finest_;
}

void Narrowing::split(const Part& part, std::vector<Part>& parts) {
  const Topology& topology = problem_.topology;
  if (falls_into_hosts(part)) {
    parts.push_back(part);
    return;
  }
  const Parts below = parts_of(topology, part.domain, tree_);
  for (const DomainId inner : below.domains) {
    const auto hosts = topology.hosts(inner);
    const auto first = static_cast<uint32_t>(hosts.data() - hosts_.data());
    add(inner, first, first + static_cast<uint32_t>(hosts.size()), parts);
  }
  uint32_t position = part.first;
  for (const HostIndex host : below.hosts) {
    while (hosts_[position] != host) ++position;
    add(topology.host_domain(host), position, position + 1, parts);
  }
}

void Narrowing::add(DomainId domain, uint32_t first, uint32_t last, std::vector<Part>& parts) const {
  Part part{domain, first, last, 0, problem_.state.busy_hosts(domain) > 0};
  for (std::size_t k = 0; k < classes_.kinds(); ++k) {
    const int64_t room = classes_.rooms(k).domain(domain);
    if (room > 0) part.use += std::min(static_cast<double>(room) / classes_.wanted()[k], 1.0);
  }
  if (part.use > 0) parts.push_back(part);
}

void Narrowing::count(const Part& part, bool in) {
  for (uint32_t position = part.first; position < part.last; ++position) {
    const uint32_t c = class_at(position);
    if (c == HostClasses::kUseless) continue;
    if (c >= counted_.size()) counted_.resize(c + 1, 0);
    if (in)
      ++counted_[c];
    else
      --counted_[c];
  }
}

void Narrowing::count_first(const std::vector<Part>& parts, std::size_t wanted) {
  while (in_count_ < wanted) count(parts[in_count_++], true);
  while (in_count_ > wanted) count(parts[--in_count_], false);
}

bool Narrowing::pack_counted() {
  return budget_.spend(packer_.effort()) && packer_.pack(counted_, classes_.wanted());
}

// The least number of parts whose rooms suffice kind by kind; more than there are: none does.
std::size_t Narrowing::least_prefix(const std::vector<Part>& parts) const {
  std::size_t least = 1;
  for (std::size_t k = 0; k < classes_.kinds(); ++k) {
    int64_t missing = classes_.wanted()[k];
    std::size_t used = 0;
    while (used < parts.size() && missing > 0) missing -= classes_.rooms(k).domain(parts[used++].domain);
    if (missing > 0) return parts.size() + 1;
    least = std::max(least, used);
  }
  return least;
}

// Leaves the parts that are used, or false.
bool Narrowing::fewest_parts(std::vector<Part>& parts) {
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    return a.use != b.use ? a.use > b.use : a.busy > b.busy;
  });
  counted_.assign(classes_.size(), 0);
  in_count_ = 0;
  const std::size_t used = smallest(least_prefix(parts), parts.size(), [&](std::size_t count) {
    count_first(parts, count);
    return pack_counted();
  });
  if (used == 0) return false;
  parts.resize(used);
  return true;
}

// The useful hosts of the parts, class by class: the most useful class first, busy ones among equals.
bool Narrowing::fewest_hosts(const std::vector<Part>& parts) {
  counted_.assign(classes_.size(), 0);
  for (const Part& it : parts) count(it, true);
  stock_.clear();
  std::size_t hosts = 0;
  for (uint32_t c = 0; c < counted_.size(); ++c) {
    if (counted_[c] == 0) continue;
    Stock it{c, counted_[c], 0};
    for (std::size_t k = 0; k < classes_.kinds(); ++k)
      it.use += std::min(static_cast<double>(classes_.room(c, k)) / classes_.wanted()[k], 1.0);
    stock_.push_back(it);
    hosts += it.hosts;
  }
  std::stable_sort(stock_.begin(), stock_.end(), [&](const Stock& a, const Stock& b) {
    return a.use != b.use ? a.use > b.use : classes_.busy(a.c) > classes_.busy(b.c);
  });
  const std::size_t used = smallest(least_hosts(), hosts, [&](std::size_t count) {
    draw(count);
    return pack_counted();
  });
  return used > 0;
}

// So many hosts, from the first classes.
void Narrowing::draw(std::size_t hosts) {
  std::fill(counted_.begin(), counted_.end(), 0U);
  for (const Stock& it : stock_) {
    counted_[it.c] = static_cast<uint32_t>(std::min<std::size_t>(it.hosts, hosts));
    hosts -= counted_[it.c];
  }
}

std::size_t Narrowing::least_hosts() const {
  std::size_t least = 1;
  for (std::size_t k = 0; k < classes_.kinds(); ++k) {
    uint64_t missing = classes_.wanted()[k];
    std::size_t used = 0;
    for (const Stock& it : stock_) {
      if (missing == 0) break;
      const uint64_t room = classes_.room(it.c, k);
      const uint64_t needs = room == 0 ? it.hosts : std::min<uint64_t>(it.hosts, (missing + room - 1) / room);
      used += needs;
      missing -= std::min(missing, needs * room);
    }
    least = std::max(least, missing > 0 ? SIZE_MAX : used);
  }
  return least;
}

// The packing found last, on the parts' hosts in depth-first order.
std::vector<Slot> Narrowing::write(const std::vector<Part>& parts) {
  std::vector<Slot> slots;
  packer_.start_writing();
  for (const Part& part : parts)
    for (uint32_t position = part.first; position < part.last; ++position)
      if (const uint32_t c = class_at(position); c != HostClasses::kUseless)
        packer_.write(hosts_[position], c, slots);
  return slots;
}

}  // namespace muster::placement
