#include "sim/measures.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/pod_keys.h"

namespace muster::sim {
namespace {

constexpr std::size_t kSamples = 200;

const std::string* asked_level(const Arrival& arrival, const char* key) {
  const auto found = arrival.asks.find(key);
  return found == arrival.asks.end() ? nullptr : &found->second;
}

// The levels between the cluster and the hosts.
std::vector<LevelId> levels_of(const Topology& topology) {
  std::vector<LevelId> levels;
  for (std::size_t level = 1; level + 1 < topology.level_count(); ++level)
    levels.push_back(static_cast<LevelId>(level));
  return levels;
}

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

}  // namespace

Measures::Measures(Occupancy& occupancy, const Trace& trace)
    : occupancy_(occupancy), trace_(trace), excess_(trace.size()), waits_(trace.size()) {
  const Topology& topology = occupancy_.topology();
  using Key = std::tuple<int64_t, uint32_t, LevelId>;
  std::map<LevelId, std::map<Key, double>> asked;
  for (const Arrival& arrival : trace_) {
    const std::string* level = asked_level(arrival, keys::kTopologyRequired);
    if (!level) level = asked_level(arrival, keys::kTopologyPreferred);
    const auto known = level ? topology.find_level(*level) : Result<LevelId>(kClusterLevel);
    if (level && known) asked[*known][{arrival.gpus, arrival.members, shape_of(arrival).within}] += 1;
  }
  for (const LevelId id : levels_of(topology)) {
    Level& level = levels_.emplace_back();
    level.id = id;
    for (const auto& [key, count] : asked[id])
      level.asked.emplace_back(Shape{std::get<0>(key), std::get<1>(key), std::get<2>(key)}, count);
  }
}

Shape Measures::shape_of(const Arrival& arrival) const {
  Shape shape{arrival.gpus, arrival.members};
  const std::string* level = asked_level(arrival, keys::kTopologyRequired);
  if (const auto known = level ? occupancy_.topology().find_level(*level) : Result<LevelId>(kClusterLevel))
    shape.within = *known;
  return shape;
}

// What was held is held up to now.
void Measures::pass(TimePoint now) {
  if (begun_) {
    const double time = seconds(now - passed_);
    held_.gpus += static_cast<double>(occupancy_.taken()) * time;
    held_.partly += occupancy_.partly_used() * time;
  }
  passed_ = now;
}

void Measures::arrived(std::size_t arrival, TimePoint now) {
  pass(now);
  if (!begun_) begun_ = last_placed_ = now;
  if (arrival % (trace_.size() / kSamples + 1) == 0) sample();
}

void Measures::sample() {
  for (Level& level : levels_) {
    Occupancy::Scraps sum;
    for (const auto& [shape, share] : level.asked) {
      const Occupancy::Scraps scraps = occupancy_.scraps(level.id, shape);
      sum.room += share * scraps.room;
      sum.waste += share * scraps.waste;
    }
    if (sum.room == 0) continue;
    level.fragmentation += sum.waste / sum.room;
    ++level.samples;
  }
}

void Measures::planned(std::size_t arrival, const std::vector<HostIndex>& hosts, TimePoint now) {
  pass(now);
  const Topology& topology = occupancy_.topology();
  const Shape shape = shape_of(trace_[arrival]);
  std::vector<double>& excess = excess_[arrival];
  excess.assign(levels_.size(), 0);
  for (std::size_t i = 0; i < levels_.size() && shape.members > 1; ++i) {
    std::set<DomainId> used;
    for (const HostIndex host : hosts) used.insert(topology.domain_of(host, levels_[i].id));
    const auto fewest = occupancy_.fewest(levels_[i].id, shape);
    if (fewest && !used.contains(kNoDomain))
      excess[i] = static_cast<double>(used.size()) / static_cast<double>(*fewest);
  }
  for (const HostIndex host : hosts) occupancy_.take(host, shape.gpus);
}

void Measures::gave_back(std::size_t arrival, HostIndex host, TimePoint now) {
  pass(now);
  occupancy_.take(host, -trace_[arrival].gpus);
}

void Measures::placed(std::size_t arrival, TimePoint now) {
  pass(now);
  waits_[arrival] = now - TimePoint(trace_[arrival].at);
  last_placed_ = now;
  held_at_last_ = held_;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const double excess = excess_[arrival][i];
    levels_[i].excess += excess;
    levels_[i].spans += excess > 0;
  }
  excess_[arrival] = {};
}

Outcome Measures::outcome() const {
  Outcome outcome;
  outcome.waits = waits_;
  outcome.hosts = occupancy_.hosts();
  outcome.gpus = occupancy_.capacity();
  const double time = begun_ ? seconds(last_placed_ - *begun_) : 0;
  if (time > 0 && outcome.gpus > 0) {
    outcome.allocation = held_at_last_.gpus / time / static_cast<double>(outcome.gpus);
    outcome.partly_used = held_at_last_.partly / time / static_cast<double>(outcome.hosts);
  }
  for (const Level& level : levels_) {
    LevelOutcome& made = outcome.levels.emplace_back();
    made.name = occupancy_.topology().level_name(level.id);
    if (level.spans > 0) made.excess_span = level.excess / level.spans;
    if (level.samples > 0) made.fragmentation = level.fragmentation / level.samples;
  }
  return outcome;
}

}  // namespace muster::sim
