#include "placement/host_options.h"

#include <algorithm>

namespace muster::placement {
namespace {

constexpr std::size_t kBuckets = 256;
constexpr std::size_t kMaxOptions = 4096;

}  // namespace

HostOptions::HostOptions(const LocalHosts& hosts, std::vector<std::size_t> kinds, std::vector<uint32_t> caps)
    : hosts_(hosts), kinds_(std::move(kinds)), caps_(std::move(caps)), buckets_(kBuckets) {}

const Vectors* HostOptions::of(std::size_t host, Budget& budget) {
  uint64_t hash = 0;
  for (std::size_t r = 0; r < hosts_.resources(); ++r)
    hash = (hash ^ static_cast<uint64_t>(hosts_.free(host)[r])) * 0x9E3779B97F4A7C15ULL;
  auto& bucket = buckets_[hash >> 56];
  for (const Entry& entry : bucket)
    if (hosts_.alike(entry.host, host)) return entry.options.get();
  auto options = std::make_unique<Vectors>();
  if (!enumerate(host, *options, budget)) return nullptr;
  bucket.push_back({host, std::move(options)});
  return bucket.back().options.get();
}

// Counts of all kinds but the last run through; the last takes the rest. Mixes to which one more member could
// be added are left out.
bool HostOptions::enumerate(std::size_t host, Vectors& out, Budget& budget) const {
  const std::size_t width = kinds_.size();
  const std::size_t resources = hosts_.resources();
  out.width = width;
  std::vector<int64_t> free((width + 1) * resources);  // free[d]: before dimension d takes
  std::copy(hosts_.free(host), hosts_.free(host) + resources, free.begin());
  std::vector<uint32_t> counts(width, 0);
  const auto row = [&](std::size_t depth) { return free.data() + depth * resources; };
  const auto room = [&](std::size_t depth, const int64_t* from, uint32_t most) {
    return hosts_.may(host, kinds_[depth]) ? hosts_.room(from, kinds_[depth], most) : 0U;
  };
  const auto take = [&](std::size_t depth) {
    const int64_t* need = hosts_.demand(kinds_[depth]);
    for (std::size_t r = 0; r < resources; ++r)
      row(depth + 1)[r] = row(depth)[r] - need[r] * static_cast<int64_t>(counts[depth]);
  };
  std::size_t depth = 0;
  for (;;) {
    // Go down with the largest counts.
    for (; depth < width; ++depth) {
      counts[depth] = room(depth, row(depth), caps_[depth]);
      take(depth);
    }
    if (!budget.spend(width + 1)) return false;
    bool maximal = true;
    for (std::size_t d = 0; d < width && maximal; ++d)
      maximal = counts[d] >= caps_[d] || room(d, row(width), 1) == 0;
    if (maximal) {
      if (out.size() >= kMaxOptions) return false;
      out.add(counts.data());
    }
    // Back up to a count, not the last kind's, that can be lowered.
    if (width < 2) return true;
    depth = width - 1;
    while (depth > 0 && counts[depth - 1] == 0) --depth;
    if (depth == 0) return true;
    --counts[depth - 1];
    take(depth - 1);
  }
}

}  // namespace muster::placement
