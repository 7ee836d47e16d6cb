// Amounts of resources as kube-scheduler counts them: cpu in millicores, everything else in its base unit
// (bytes, devices, pods). Values are never negative.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster {

inline constexpr std::string_view kCpu = "cpu";
inline constexpr std::string_view kMemory = "memory";
inline constexpr std::string_view kPods = "pods";

// Resource name → amount, sorted by name, no zero entries.
class ResourceList {
 public:
  using Entry = std::pair<std::string, int64_t>;

  // Room for so many and no more.
  void reserve(std::size_t count) { entries_.reserve(count); }
  [[nodiscard]] int64_t get(std::string_view name) const;
  void set(std::string_view name, int64_t amount);
  // Adds with saturation at INT64_MAX, so that a hostile sum cannot wrap around.
  void add(const ResourceList& other);
  void add(std::string_view name, int64_t amount);
  // Component-wise maximum.
  void max_with(const ResourceList& other);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  friend bool operator==(const ResourceList&, const ResourceList&) = default;

 private:
  std::vector<Entry> entries_;
};

// As people write it: "500m" or "2" of cpu, "8Gi" of memory, devices plain.
[[nodiscard]] std::string amount_text(std::string_view resource, int64_t amount);

}  // namespace muster
