#include "muster/mix.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace muster {
namespace {

constexpr double kPerDevice = 1e6;
// Where the first measure tells domains apart, the second must not outvote it.
constexpr double kFillWeight = 0.05;
constexpr std::size_t kMostKnown = 1 << 16;

// How often the needs go into a host's row.
template <typename Needs>
int64_t room_in(const int64_t* free, const Needs& needs) {
  int64_t room = kMaxAmount;
  for (const auto& need : needs) room = std::min(room, free[need.resource] / need.amount);
  return room;
}

}  // namespace

std::size_t Mix::RowsHash::operator()(std::span<const int64_t> rows) const {
  uint64_t hash = rows.size();
  for (const int64_t word : rows) {
    hash = (hash ^ static_cast<uint64_t>(word)) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 32;
  }
  return hash;
}

bool Mix::RowsEqual::operator()(std::span<const int64_t> a, std::span<const int64_t> b) const {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

Mix::Mix(const ClusterState& state, LevelId level, std::vector<MixShape> shapes) : level_(level) {
  double total = 0;
  for (const MixShape& shape : shapes) {
    Asked asked = compile(state, shape);
    if (asked.devices.empty()) continue;
    total += asked.weight;
    shapes_.push_back(std::move(asked));
  }
  MUSTER_CHECK(node_sets_.size() <= kMaxNodeSets);
  for (Asked& asked : shapes_) asked.weight /= total;
}

std::size_t Mix::intern(ResourceId resource) {
  const auto found = std::find(resources_.begin(), resources_.end(), resource);
  if (found != resources_.end()) return static_cast<std::size_t>(found - resources_.begin());
  resources_.push_back(resource);
  unit_.push_back(1);
  return resources_.size() - 1;
}

std::size_t Mix::intern(NodeSetId node_set) {
  const auto found = std::find(node_sets_.begin(), node_sets_.end(), node_set);
  if (found != node_sets_.end()) return static_cast<std::size_t>(found - node_sets_.begin());
  node_sets_.push_back(node_set);
  return node_sets_.size() - 1;
}

Mix::Asked Mix::compile(const ClusterState& state, const MixShape& shape) {
  Asked asked;
  asked.weight = shape.weight;
  const bool any = std::any_of(shape.parts.begin(), shape.parts.end(), [&](const MixPart& part) {
    return std::any_of(part.demand.begin(), part.demand.end(), [&](const ResourceAmount& need) {
      return need.amount > 0 && state.is_device(need.resource);
    });
  });
  if (!any) return asked;
  for (const MixPart& from : shape.parts) {
    Part& part = asked.parts.emplace_back();
    part.node_set = intern(from.node_set);
    part.count = from.count;
    for (const ResourceAmount& need : from.demand) {
      if (need.amount <= 0) continue;
      const std::size_t resource = intern(need.resource);
      const bool device = state.is_device(need.resource);
      part.needs.push_back({resource, need.amount, device});
      part.device = part.device || device;
      unit_[resource] = std::max(unit_[resource], static_cast<double>(need.amount));
      if (!device) continue;
      const auto same = std::find_if(asked.devices.begin(), asked.devices.end(),
                                     [&](const Need& it) { return it.resource == resource; });
      if (same == asked.devices.end())
        asked.devices.push_back({resource, need.amount * part.count, true});
      else
        same->amount += need.amount * part.count;
    }
  }
  return asked;
}

void Mix::read(const ClusterState& state, HostIndex host, int64_t* row) const {
  uint64_t admits = 0;
  for (std::size_t i = 0; i < node_sets_.size(); ++i)
    if (state.exclusion(node_sets_[i], host) == Exclusion::kNone) admits |= uint64_t{1} << i;
  *row++ = static_cast<int64_t>(admits);
  for (const ResourceId resource : resources_) *row++ = std::max<int64_t>(0, state.free(host, resource));
}

int64_t Mix::fragmentation(std::vector<int64_t>& rows) {
  if (shapes_.empty()) return 0;
  sort_hosts(rows);
  if (const auto found = known_.find(std::span<const int64_t>(rows)); found != known_.end())
    return found->second;
  if (known_.size() >= kMostKnown) known_.clear();
  const int64_t value = std::llround(measure(rows) * kPerDevice);
  known_.emplace(rows, value);
  return value;
}

// Domains whose hosts differ in their order alone are the same.
void Mix::sort_hosts(std::vector<int64_t>& rows) {
  if (rows.size() == width()) return;
  sorted_.clear();
  for (auto at = rows.begin(); at != rows.end(); at += static_cast<std::ptrdiff_t>(width()))
    sorted_.emplace_back(at, at + static_cast<std::ptrdiff_t>(width()));
  std::sort(sorted_.begin(), sorted_.end());
  auto out = rows.begin();
  for (const auto& row : sorted_) out = std::copy(row.begin(), row.end(), out);
}

double Mix::measure(std::span<const int64_t> rows) const {
  std::vector<uint8_t> useful;
  double sum = 0;
  for (const Asked& shape : shapes_) sum += shape.weight * wasted(shape, rows, useful);
  return sum;
}

double Mix::wasted(const Asked& shape, std::span<const int64_t> rows, std::vector<uint8_t>& useful) const {
  const std::size_t hosts = rows.size() / width();
  useful.assign(hosts, 0);
  int64_t copies = kMaxAmount;
  for (const Part& part : shape.parts) {
    int64_t room = 0;
    for (std::size_t h = 0; h < hosts; ++h) {
      const int64_t* row = rows.data() + h * width();
      if ((static_cast<uint64_t>(row[0]) >> part.node_set & 1) == 0) continue;
      const int64_t here = room_in(row + 1, part.needs);
      room += here;
      if (part.device && here > 0) useful[h] = 1;
    }
    copies = std::min(copies, room / part.count);
  }
  double wasted = 0;
  for (const Need& need : shape.devices) {
    int64_t free = 0;
    int64_t usable = 0;
    for (std::size_t h = 0; h < hosts; ++h) {
      const int64_t here = rows[h * width() + 1 + need.resource];
      free += here;
      if (useful[h] != 0) usable += here;
    }
    const int64_t useless = copies == 0 ? free : free - usable;
    const auto unfilled = static_cast<double>(free) - static_cast<double>(copies) * need.amount;
    wasted += (static_cast<double>(useless) + kFillWeight * std::max(0.0, unfilled)) / unit_[need.resource];
  }
  return wasted;
}

}  // namespace muster
