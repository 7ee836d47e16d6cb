// The figures of a run, taken while it goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/occupancy.h"
#include "sim/simulator.h"

namespace muster::sim {

class Measures {
 public:
  // Before anything is held.
  Measures(Occupancy& occupancy, const Trace& trace);

  // Members of the arrival are promised these hosts, all at once.
  void planned(std::size_t arrival, const std::vector<HostIndex>& hosts, TimePoint now);
  void gave_back(std::size_t arrival, HostIndex host, TimePoint now);
  // Its last member is bound.
  void placed(std::size_t arrival, TimePoint now);
  void arrived(std::size_t arrival, TimePoint now);

  // All but what the engine tells.
  [[nodiscard]] Outcome outcome() const;

 private:
  struct Level {
    LevelId id{};
    std::vector<std::pair<Shape, double>> asked;  // shapes that ask for the level, with their share
    double excess = 0;
    uint32_t spans = 0;
    double fragmentation = 0;
    uint32_t samples = 0;
  };
  struct Held {
    double gpus = 0;    // over time
    double partly = 0;  // hosts over time
  };

  void pass(TimePoint now);
  void sample();
  [[nodiscard]] Shape shape_of(const Arrival& arrival) const;

  Occupancy& occupancy_;
  const Trace& trace_;
  std::vector<Level> levels_;
  std::vector<std::vector<double>> excess_;  // [arrival][level] of its plan; 0: none
  std::vector<std::optional<Duration>> waits_;
  std::optional<TimePoint> begun_;
  TimePoint passed_{};
  Held held_;
  Held held_at_last_;  // when the last was placed
  TimePoint last_placed_{};
};

}  // namespace muster::sim
