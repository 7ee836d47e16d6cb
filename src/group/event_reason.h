// The reasons of the Events that tell users about their groups; docs/reference.md has a line for each.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace muster::group {

enum class EventReason {
  kGathering,
  kRejected,
  kLimitReached,
  kNoRoom,
  kUndecided,
  kPlanned,
  kPlanFailed,
  kBindFailed,
  kRepairedOutsideSlice,
  kRestarting,
  kUnwinding,
  kNotRestarted,
  kStuck,
  kEvictionBlocked,
  kEvictionFailed
};
inline constexpr std::array kEventReasons{
    EventReason::kGathering,  EventReason::kRejected,        EventReason::kLimitReached,
    EventReason::kNoRoom,     EventReason::kUndecided,       EventReason::kPlanned,
    EventReason::kPlanFailed, EventReason::kBindFailed,      EventReason::kRepairedOutsideSlice,
    EventReason::kRestarting, EventReason::kUnwinding,       EventReason::kNotRestarted,
    EventReason::kStuck,      EventReason::kEvictionBlocked, EventReason::kEvictionFailed};
static_assert(kEventReasons.size() == static_cast<std::size_t>(EventReason::kEvictionFailed) + 1);

// As the Event has it: "NoRoom".
[[nodiscard]] std::string_view to_string(EventReason reason);

}  // namespace muster::group
