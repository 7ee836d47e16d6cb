#include "base/resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace muster {
namespace {

int64_t saturating_sum(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<int64_t>::max() : sum;
}

auto position(const std::vector<ResourceList::Entry>& entries, std::string_view name) {
  return std::lower_bound(
      entries.begin(), entries.end(), name,
      [](const ResourceList::Entry& entry, std::string_view key) { return entry.first < key; });
}

}  // namespace

int64_t ResourceList::get(std::string_view name) const {
  const auto it = position(entries_, name);
  return it != entries_.end() && it->first == name ? it->second : 0;
}

void ResourceList::set(std::string_view name, int64_t amount) {
  const auto it = position(entries_, name);
  const auto index = it - entries_.begin();
  const bool present = it != entries_.end() && it->first == name;
  if (amount == 0) {
    if (present) entries_.erase(entries_.begin() + index);
  } else if (present) {
    entries_[static_cast<std::size_t>(index)].second = amount;
  } else {
    entries_.insert(entries_.begin() + index, {std::string(name), amount});
  }
}

void ResourceList::add(std::string_view name, int64_t amount) {
  set(name, saturating_sum(get(name), amount));
}

void ResourceList::add(const ResourceList& other) {
  for (const auto& [name, amount] : other.entries_) add(name, amount);
}

void ResourceList::max_with(const ResourceList& other) {
  for (const auto& [name, amount] : other.entries_) set(name, std::max(get(name), amount));
}

std::string amount_text(std::string_view resource, int64_t amount) {
  if (resource == kCpu)
    return amount % 1000 == 0 ? fmt::format("{}", amount / 1000) : fmt::format("{}m", amount);
  const bool bytes =
      resource == kMemory || resource == "ephemeral-storage" || resource.starts_with("hugepages-");
  if (!bytes) return fmt::format("{}", amount);
  constexpr const char* kUnits[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};
  std::size_t unit = 0;
  while (unit < 5 && amount >= 1024 && amount % 1024 == 0) {
    amount /= 1024;
    ++unit;
  }
  return fmt::format("{}{}", amount, kUnits[unit]);
}

}  // namespace muster
