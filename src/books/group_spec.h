// The long form of a group's request: the JSON of the annotation muster.dev/group-spec, and the short text of
// muster.dev/slices.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "group/spec.h"

namespace muster::books {

// Limits against hostile annotations; an annotation itself is at most 256 KiB.
inline constexpr std::size_t kMaxSpecDepth = 8;
inline constexpr std::size_t kMaxSubgroups = 10'000;

// "16@block,4@rack". kInvalid names the value; whether sizes divide is the solver's to check.
[[nodiscard]] Result<std::vector<group::SliceSpec>> parse_slices(std::string_view text);

// Adds what the JSON says to `spec`, which holds what the short keys said. A key that both name has to say
// the same. `min_member` is the short key's value, absent when it is not set. kInvalid names the path of the
// key, e.g.
//   muster.dev/group-spec: subgroups.prefill.minMember: "two" is not a whole number from 1 to 100000
[[nodiscard]] Result<void> apply_group_spec(std::string_view json, std::optional<uint32_t> min_member,
                                            group::GroupSpec& spec);

}  // namespace muster::books
