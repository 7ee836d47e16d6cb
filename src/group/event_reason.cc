#include "group/event_reason.h"

namespace muster::group {

std::string_view to_string(EventReason reason) {
  switch (reason) {
    case EventReason::kGathering:
      return "Gathering";
    case EventReason::kRejected:
      return "Rejected";
    case EventReason::kLimitReached:
      return "LimitReached";
    case EventReason::kNoRoom:
      return "NoRoom";
    case EventReason::kUndecided:
      return "Undecided";
    case EventReason::kPlanned:
      return "Planned";
    case EventReason::kPlanFailed:
      return "PlanFailed";
    case EventReason::kBindFailed:
      return "BindFailed";
    case EventReason::kRepairedOutsideSlice:
      return "RepairedOutsideSlice";
    case EventReason::kRestarting:
      return "Restarting";
    case EventReason::kUnwinding:
      return "Unwinding";
    case EventReason::kNotRestarted:
      return "NotRestarted";
    case EventReason::kStuck:
      return "Stuck";
    case EventReason::kEvictionBlocked:
      return "EvictionBlocked";
    case EventReason::kEvictionFailed:
      return "EvictionFailed";
  }
  return "";
}

}  // namespace muster::group
