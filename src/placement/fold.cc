#include "placement/fold.h"

#include <algorithm>

namespace muster::placement {
namespace {

constexpr int32_t kUnreached = INT32_MIN / 2;

bool covers(const uint32_t* a, const uint32_t* b, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i)
    if (a[i] < b[i]) return false;
  return true;
}

}  // namespace

void keep_maximal(Vectors& vectors) {
  Vectors kept;
  kept.width = vectors.width;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    bool covered = false;
    for (std::size_t j = 0; j < vectors.size() && !covered; ++j) {
      if (i == j || !covers(vectors[j], vectors[i], vectors.width)) continue;
      covered = j < i || !covers(vectors[i], vectors[j], vectors.width);  // of equal ones the first stays
    }
    if (!covered) kept.add(vectors[i]);
  }
  vectors = std::move(kept);
}

Fold::Fold(std::vector<uint32_t> caps) : caps_(std::move(caps)), stride_(caps_.size(), 0) {
  MUSTER_CHECK(!caps_.empty());
  value_ = static_cast<std::size_t>(std::max_element(caps_.begin(), caps_.end()) - caps_.begin());
  for (std::size_t i = caps_.size(); i-- > 0;) {
    if (i == value_) continue;
    stride_[i] = cells_;
    cells_ = std::min<uint64_t>(cells_ * (static_cast<uint64_t>(caps_[i]) + 1), uint64_t{1} << 40);
  }
  if (cells_ > kMaxCells) return;
  best_.assign(cells_, kUnreached);
  best_[0] = 0;
}

std::size_t Fold::cell_of(const uint32_t* vector) const {
  std::size_t cell = 0;
  for (std::size_t i = 0; i < caps_.size(); ++i)
    if (i != value_) cell += std::min(vector[i], caps_[i]) * stride_[i];
  return cell;
}

void Fold::counts_of(std::size_t cell, uint32_t* counts) const {
  for (std::size_t i = 0; i < caps_.size(); ++i)
    counts[i] = i == value_ ? 0 : static_cast<uint32_t>(cell / stride_[i] % (caps_[i] + 1));
}

bool Fold::add(const Vectors& options, Budget& budget, bool remember) {
  MUSTER_CHECK(cells_ <= kMaxCells && options.size() < kNothing);
  if (!budget.spend(cells_ * (options.size() + 1) + 8)) return false;
  Part part;
  part.options = options;
  part.choice.assign(remember ? cells_ : 0, kNothing);
  std::vector<uint32_t> counts(caps_.size());
  const auto value_cap = static_cast<int32_t>(caps_[value_]);
  // From the largest cell down, so that a cell reads only cells of the fold before this part.
  for (std::size_t cell = cells_; cell-- > 0;) {
    counts_of(cell, counts.data());
    int32_t best = best_[cell];
    uint16_t choice = kNothing;
    for (std::size_t o = 0; o < options.size() && best < value_cap; ++o) {
      const uint32_t* option = options[o];
      std::size_t from = 0;
      for (std::size_t i = 0; i < caps_.size(); ++i)
        if (i != value_ && counts[i] > option[i]) from += (counts[i] - option[i]) * stride_[i];
      const int32_t value = std::min(value_cap, best_[from] + static_cast<int32_t>(option[value_]));
      if (value <= best || value < 0) continue;
      best = value;
      choice = static_cast<uint16_t>(o);
    }
    best_[cell] = best;
    if (remember) part.choice[cell] = choice;
  }
  if (remember) parts_.push_back(std::move(part));
  return true;
}

bool Fold::reaches(const std::vector<uint32_t>& target) const {
  for (std::size_t i = 0; i < caps_.size(); ++i)
    if (target[i] > caps_[i]) return false;
  return best_[cell_of(target.data())] >= static_cast<int32_t>(target[value_]);
}

Vectors Fold::maximal() const {
  Vectors result;
  result.width = caps_.size();
  std::vector<uint32_t> counts(caps_.size());
  for (std::size_t cell = 0; cell < cells_; ++cell) {
    if (best_[cell] < 0) continue;
    counts_of(cell, counts.data());
    bool covered = false;
    for (std::size_t i = 0; i < caps_.size() && !covered; ++i)
      covered = i != value_ && counts[i] < caps_[i] && best_[cell + stride_[i]] == best_[cell];
    if (covered) continue;
    counts[value_] = static_cast<uint32_t>(best_[cell]);
    result.add(counts.data());
  }
  return result;
}

std::vector<std::vector<uint32_t>> Fold::take_back(const std::vector<uint32_t>& target) const {
  std::vector<uint32_t> rest = target;
  std::vector<std::vector<uint32_t>> taken(parts_.size(), std::vector<uint32_t>(caps_.size(), 0));
  for (std::size_t p = parts_.size(); p-- > 0;) {
    const uint16_t choice = parts_[p].choice[cell_of(rest.data())];
    if (choice == kNothing) continue;
    const uint32_t* option = parts_[p].options[choice];
    for (std::size_t i = 0; i < caps_.size(); ++i) {
      taken[p][i] = std::min(rest[i], option[i]);
      rest[i] -= taken[p][i];
    }
  }
  MUSTER_CHECK(std::all_of(rest.begin(), rest.end(), [](uint32_t left) { return left == 0; }));
  return taken;
}

}  // namespace muster::placement
