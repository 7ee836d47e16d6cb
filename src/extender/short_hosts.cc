#include "extender/short_hosts.h"

#include <algorithm>
#include <cstring>

namespace muster::extender {
namespace {

bool too_small(const ResourceList& rest, const ResourceList& requests) {
  return std::any_of(
      requests.entries().begin(), requests.entries().end(),
      [&](const ResourceList::Entry& wanted) { return rest.get(wanted.first) < wanted.second; });
}

}  // namespace

uint32_t ShortHosts::bit_of(std::string_view name) {
  constexpr uint64_t kFactor = 0x9e3779b97f4a7c15u;
  uint64_t hash = name.size();
  uint64_t piece = 0;
  if (name.size() < sizeof piece) {
    for (char c : name) piece = piece << 8 | static_cast<unsigned char>(c);
    return static_cast<uint32_t>(((hash ^ piece) * kFactor) >> 50);
  }
  const char* at = name.data();
  const char* last = at + name.size() - sizeof piece;  // the last piece overlaps the one before it
  for (; at < last; at += sizeof piece) {
    std::memcpy(&piece, at, sizeof piece);
    hash = (hash + piece) * kFactor;
  }
  std::memcpy(&piece, last, sizeof piece);
  hash = (hash + piece) * kFactor;
  return static_cast<uint32_t>(hash >> 50);
}

ShortHosts::ShortHosts(const Promises& promises, const ResourceList& requests) {
  static_assert(kBits == 1u << (64 - 50));
  for (const auto& [name, rest] : promises) {
    if (!too_small(rest, requests)) continue;
    hosts_.insert(name);
    uint32_t bit = bit_of(name);
    bits_[bit / 64] |= uint64_t{1} << (bit % 64);
  }
}

}  // namespace muster::extender
