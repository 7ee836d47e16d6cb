#include "placement/class_packer.h"

#include <algorithm>

namespace muster::placement {

bool ClassPacker::pack(const std::vector<uint32_t>& hosts, const std::vector<uint32_t>& wanted) {
  piles_.clear();
  rows_.clear();
  total_.assign(classes_.resources(), 0);
  for (uint32_t c = 0; c < hosts.size(); ++c) {
    if (hosts[c] == 0) continue;
    piles_.push_back({c, hosts[c], kNone, 0, 0, kNone});
    const int64_t* free = classes_.free(c);
    rows_.insert(rows_.end(), free, free + classes_.resources());
    for (std::size_t r = 0; r < total_.size(); ++r) total_[r] += static_cast<double>(free[r]) * hosts[c];
  }
  order_kinds();
  return std::all_of(order_.begin(), order_.end(),
                     [&](std::size_t kind) { return place(kind, wanted[kind]); });
}

// Devices a member takes, then the largest share of what there is of anything.
void ClassPacker::order_kinds() {
  sizes_.clear();
  for (std::size_t kind = 0; kind < classes_.kinds(); ++kind) {
    double devices = 0;
    double share = 0;
    for (std::size_t r = 0; r < total_.size(); ++r) {
      const auto need = static_cast<double>(classes_.demand(kind)[r]);
      if (classes_.device(r)) devices += need;
      if (total_[r] > 0) share = std::max(share, need / total_[r]);
    }
    sizes_.emplace_back(-(devices * 1e3 + share), kind);
  }
  std::sort(sizes_.begin(), sizes_.end());
  order_.clear();
  for (const auto& [size, kind] : sizes_) order_.push_back(kind);
}

bool ClassPacker::place(std::size_t kind, uint32_t left) {
  if (left == 0) return true;
  ranked_.clear();
  for (uint32_t p = 0; p < piles_.size(); ++p) {
    if (piles_[p].hosts == 0 || classes_.room(piles_[p].of, kind) == 0) continue;
    if (const uint32_t room = classes_.room_in(row(p), kind, left); room > 0)
      ranked_.push_back({key(kind, p, room), p, room});
  }
  std::sort(ranked_.begin(), ranked_.end(), [](const Ranked& a, const Ranked& b) {
    return a.key != b.key ? a.key < b.key : a.pile < b.pile;
  });
  for (const Ranked& it : ranked_) {
    const uint32_t full = std::min(piles_[it.pile].hosts, left / it.room);
    if (full > 0) split(it.pile, kind, full, it.room);
    left -= full * it.room;
    if (left > 0 && piles_[it.pile].hosts > 0) {
      split(it.pile, kind, 1, left);
      left = 0;
    }
    if (left == 0) return true;
  }
  return false;
}

void ClassPacker::split(uint32_t pile, std::size_t kind, uint32_t hosts, uint32_t count) {
  const auto made = static_cast<uint32_t>(piles_.size());
  piles_.push_back({piles_[pile].of, hosts, pile, static_cast<uint32_t>(kind), count, kNone});
  piles_[pile].hosts -= hosts;
  rows_.resize(rows_.size() + classes_.resources());
  const int64_t* need = classes_.demand(kind);
  for (std::size_t r = 0; r < classes_.resources(); ++r)
    row(made)[r] = row(pile)[r] - need[r] * static_cast<int64_t>(count);
}

// What taking as many as fit leaves of devices, or what it touches without needing it.
double ClassPacker::key(std::size_t kind, uint32_t pile, uint32_t room) const {
  double key = classes_.busy(piles_[pile].of) ? 0 : 0.5;
  for (std::size_t r = 0; r < classes_.resources(); ++r) {
    if (!classes_.device(r)) continue;
    const int64_t need = classes_.demand(kind)[r];
    const int64_t have = row(pile)[r];
    key += static_cast<double>(have - need * static_cast<int64_t>(room)) * 4;
    if (need == 0) key += static_cast<double>(have);
  }
  return key;
}

void ClassPacker::start_writing() {
  first_pile_.assign(classes_.size(), kNone);
  for (auto p = static_cast<uint32_t>(piles_.size()); p-- > 0;) {
    if (piles_[p].hosts == 0 || piles_[p].from == kNone) continue;  // emptied, or of hosts that took nothing
    piles_[p].next = first_pile_[piles_[p].of];
    first_pile_[piles_[p].of] = p;
  }
}

void ClassPacker::write(HostIndex host, uint32_t c, std::vector<Slot>& slots) {
  const uint32_t pile = first_pile_[c];
  if (pile == kNone) return;
  for (uint32_t p = pile; piles_[p].from != kNone; p = piles_[p].from)
    slots.push_back({0, classes_.kind(piles_[p].kind), host, piles_[p].count});
  if (--piles_[pile].hosts == 0) first_pile_[c] = piles_[pile].next;
}

}  // namespace muster::placement
