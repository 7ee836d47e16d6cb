// Virtual time, seeded chance, and a log of what happened: everything a run does comes from its seed.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace muster::sim {

class Timeline {
 public:
  explicit Timeline(uint64_t seed, bool logging) : random_(seed), logging_(logging) {}

  [[nodiscard]] TimePoint now() const { return now_; }
  // When the next event is due.
  [[nodiscard]] std::optional<TimePoint> next() const {
    return events_.empty() ? std::nullopt : std::optional(events_.begin()->first.first);
  }
  void at(TimePoint time, std::function<void()> what) {
    events_.emplace(std::pair(std::max(time, now_), ++sequence_), std::move(what));
  }
  void after(Duration time, std::function<void()> what) { at(now_ + time, std::move(what)); }
  // Something between the two, in milliseconds.
  void soon(int64_t least, int64_t most, std::function<void()> what) {
    after(Duration(number(least, most)), std::move(what));
  }
  // False when nothing is left before `end`.
  bool step(TimePoint end) {
    if (events_.empty() || events_.begin()->first.first > end) {
      now_ = std::max(now_, end);
      return false;
    }
    const auto first = events_.begin();
    now_ = first->first.first;
    const std::function<void()> what = std::move(first->second);
    events_.erase(first);
    ++steps_;
    what();
    return true;
  }
  [[nodiscard]] uint64_t steps() const { return steps_; }

  int64_t number(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }
  bool chance(double probability) { return static_cast<double>(random_() >> 11) * 0x1p-53 < probability; }
  template <typename Container>
  auto pick(Container& from) {
    auto it = from.begin();
    std::advance(it, number(0, static_cast<int64_t>(from.size()) - 1));
    return it;
  }

  template <typename... Args>
  void log(fmt::format_string<Args...> format, Args&&... args) {
    if (!logging_) return;
    log_.push_back(fmt::format("{:>7} ", now_.time_since_epoch().count()) +
                   fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] const std::vector<std::string>& lines() const { return log_; }

 private:
  std::mt19937_64 random_;
  bool logging_;
  TimePoint now_{};
  uint64_t sequence_ = 0;
  uint64_t steps_ = 0;
  std::map<std::pair<TimePoint, uint64_t>, std::function<void()>> events_;
  std::vector<std::string> log_;
};

}  // namespace muster::sim
