#include "placement/host_classes.h"

#include <algorithm>
#include <numeric>

namespace muster::placement {
namespace {

constexpr uint64_t kFactor = 0x9E3779B97F4A7C15ULL;

// Exact for amounts up to kMaxAmount: a quotient that is no whole number misses the next one by more than
// the rounding error of a double.
int64_t whole(int64_t amount, int64_t unit) {
  return static_cast<int64_t>(static_cast<double>(amount) / static_cast<double>(unit)) * unit;
}

}  // namespace

HostClasses::HostClasses(Problem& problem, const Wanted& wanted) : state_(problem.state) {
  for (uint32_t kind = 0; kind < problem.kinds.size(); ++kind) {
    if (wanted.count[kind] == 0) continue;
    kinds_.push_back(kind);
    wanted_.push_back(wanted.count[kind]);
    rooms_.push_back(&problem.rooms(kind));
    room_columns_.push_back(rooms_.back()->hosts());
    for (const ResourceAmount& need : problem.demand(problem.kinds[kind]))
      if (need.amount > 0 &&
          std::find(resources_.begin(), resources_.end(), need.resource) == resources_.end())
        resources_.push_back(need.resource);
  }
  unit_.assign(resources_.size(), 0);
  demand_.assign(kinds_.size() * resources_.size(), 0);
  for (std::size_t k = 0; k < kinds_.size(); ++k) add_kind(problem, k);
  for (const ResourceId resource : resources_) {
    columns_.push_back(state_.free_column(resource).data());
    device_.push_back(state_.is_device(resource) ? 1 : 0);
  }
  flags_ = (kinds_.size() + 63) / 64 + 1;
  width_ = flags_ + resources_.size();
  row_.resize(width_);
  seen_.resize(width_);
  recent_ = std::make_unique_for_overwrite<int64_t[]>(width_ << kRecentBits);
  recent_class_.assign(std::size_t{1} << kRecentBits, kUseless);
  usable_.resize(resources_.size());
  room_here_.resize(kinds_.size());
  table_.assign(std::size_t{1} << (64 - shift_), kUseless);
}

void HostClasses::add_kind(const Problem& problem, std::size_t k) {
  for (const ResourceAmount& need : problem.demand(problem.kinds[kinds_[k]])) {
    if (need.amount <= 0) continue;
    const auto r = static_cast<std::size_t>(std::find(resources_.begin(), resources_.end(), need.resource) -
                                            resources_.begin());
    const int64_t amount = std::min(need.amount, kMaxAmount);
    demand_[k * resources_.size() + r] = amount;
    unit_[r] = std::gcd(unit_[r], amount);
  }
}

uint32_t HostClasses::of(HostIndex host) {
  const std::size_t width = resources();
  int64_t* seen = seen_.data();
  uint64_t hash = 0;
  const auto see = [&](int64_t word) {
    *seen++ = word;
    hash = (hash ^ static_cast<uint64_t>(word)) * kFactor;
    hash ^= hash >> 32;
  };
  uint64_t useful = 0;
  for (std::size_t first = 0; first < kinds(); first += 64) {
    uint64_t may = 0;
    const std::size_t last = std::min(kinds(), first + 64);
    for (std::size_t k = last; k-- > first;) may = may << 1 | (room_columns_[k][at(host)] > 0 ? 1 : 0);
    useful |= may;
    see(static_cast<int64_t>(may));
  }
  if (useful == 0) return kUseless;
  see(state_.busy(host) ? 1 : 0);
  for (std::size_t r = 0; r < width; ++r) see(columns_[r][at(host)]);
  // Most hosts are exactly like one seen before.
  const std::size_t slot = hash * kFactor >> (64 - kRecentBits);
  int64_t* recent = recent_.get() + slot * width_;
  if (recent_class_[slot] != kUseless && same_row(seen_.data(), recent)) return recent_class_[slot];
  std::copy(seen_.begin(), seen_.end(), recent);
  round(host);
  return recent_class_[slot] = find();
}

// Makes row_ of seen_.
void HostClasses::round(HostIndex host) {
  row_ = seen_;
  std::fill(usable_.begin(), usable_.end(), 0);
  for (std::size_t k = 0; k < kinds(); ++k) {
    const auto room = static_cast<int64_t>(room_columns_[k][at(host)]);
    room_here_[k] = static_cast<uint32_t>(room);
    const int64_t* need = demand(k);
    for (std::size_t r = 0; r < resources(); ++r)
      usable_[r] = std::min(usable_[r] + need[r] * room, kMaxAmount);
  }
  for (std::size_t r = 0; r < resources(); ++r) {
    int64_t& free = row_[flags_ + r];
    free = std::max<int64_t>(free, 0);
    if (device_[r] == 0) free = std::min(whole(free, unit_[r]), usable_[r]);
  }
}

uint32_t HostClasses::find() {
  uint64_t hash = 0;
  for (const int64_t word : row_) {
    hash = (hash ^ static_cast<uint64_t>(word)) * kFactor;
    hash ^= hash >> 32;
  }
  hash *= kFactor;
  std::size_t slot = hash >> shift_;
  for (; table_[slot] != kUseless; slot = (slot + 1) & (table_.size() - 1)) {
    const uint32_t c = table_[slot];
    if (hash_[c] == hash && same_row(row_.data(), rows_.data() + c * width_)) return c;
  }
  const auto c = static_cast<uint32_t>(size());
  hash_.push_back(hash);
  rows_.insert(rows_.end(), row_.begin(), row_.end());
  room_.insert(room_.end(), room_here_.begin(), room_here_.end());
  table_[slot] = c;
  if (size() * 2 > table_.size()) grow();
  return c;
}

bool HostClasses::same_row(const int64_t* a, const int64_t* b) const {
  int64_t differ = 0;
  for (std::size_t i = 0; i < width_; ++i) differ |= a[i] ^ b[i];
  return differ == 0;
}

void HostClasses::grow() {
  table_.assign(table_.size() * 4, kUseless);
  shift_ -= 2;
  for (uint32_t c = 0; c < size(); ++c) {
    std::size_t slot = hash_[c] >> shift_;
    while (table_[slot] != kUseless) slot = (slot + 1) & (table_.size() - 1);
    table_[slot] = c;
  }
}

uint32_t HostClasses::room_in(const int64_t* free, std::size_t k, uint32_t most) const {
  int64_t room = most;
  const int64_t* need = demand(k);
  for (std::size_t r = 0; r < resources() && room > 0; ++r) {
    if (need[r] == 0) continue;
    if (free[r] < need[r]) return 0;
    int64_t product = 0;
    if (__builtin_mul_overflow(room, need[r], &product) || product > free[r]) room = free[r] / need[r];
  }
  return static_cast<uint32_t>(room);
}

}  // namespace muster::placement
