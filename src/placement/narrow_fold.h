// A fold over the dimensions that matter: those that can still be of use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "placement/fold.h"

namespace muster::placement {

class NarrowFold {
 public:
  NarrowFold(const std::vector<uint32_t>& caps, std::size_t width) : width_(width) {
    for (uint32_t d = 0; d < width; ++d)
      if (caps[d] > 0) dimensions_.push_back(d);
    std::vector<uint32_t> narrow;
    for (const uint32_t d : dimensions_) narrow.push_back(caps[d]);
    if (narrow.empty()) narrow.push_back(0);
    fold_ = std::make_unique<Fold>(std::move(narrow));
  }
  [[nodiscard]] bool fits_memory(std::size_t parts, bool remember) const {
    constexpr uint64_t kMaxMemory = 32U << 20;
    return fold_->cells() <= Fold::kMaxCells && (!remember || fold_->cells() * parts <= kMaxMemory);
  }
  bool add(const Vectors& wide, Budget& budget, bool remember) {
    Vectors narrow;
    narrow.width = std::max<std::size_t>(dimensions_.size(), 1);
    std::vector<uint32_t> row(narrow.width, 0);
    for (std::size_t i = 0; i < wide.size(); ++i) {
      for (std::size_t k = 0; k < dimensions_.size(); ++k) row[k] = wide[i][dimensions_[k]];
      narrow.add(row.data());
    }
    return fold_->add(narrow, budget, remember);
  }
  [[nodiscard]] bool reaches(const std::vector<uint32_t>& wide) const {
    for (uint32_t d = 0, k = 0; d < width_; ++d) {
      const bool known = k < dimensions_.size() && dimensions_[k] == d;
      if (known) ++k;
      if (!known && wide[d] > 0) return false;
    }
    return fold_->reaches(narrow(wide));
  }
  [[nodiscard]] Vectors maximal() const {
    const Vectors found = fold_->maximal();
    Vectors wide;
    wide.width = width_;
    std::vector<uint32_t> row(width_);
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::fill(row.begin(), row.end(), 0U);
      for (std::size_t k = 0; k < dimensions_.size(); ++k) row[dimensions_[k]] = found[i][k];
      wide.add(row.data());
    }
    return wide;
  }
  [[nodiscard]] std::vector<std::vector<uint32_t>> take_back(const std::vector<uint32_t>& target) const {
    auto parts = fold_->take_back(narrow(target));
    for (auto& part : parts) {
      std::vector<uint32_t> wide(width_, 0);
      for (std::size_t k = 0; k < dimensions_.size(); ++k) wide[dimensions_[k]] = part[k];
      part = std::move(wide);
    }
    return parts;
  }

 private:
  [[nodiscard]] std::vector<uint32_t> narrow(const std::vector<uint32_t>& wide) const {
    std::vector<uint32_t> row(std::max<std::size_t>(dimensions_.size(), 1), 0);
    for (std::size_t k = 0; k < dimensions_.size(); ++k) row[k] = wide[dimensions_[k]];
    return row;
  }

  std::size_t width_;
  std::vector<uint32_t> dimensions_;
  std::unique_ptr<Fold> fold_;
};

}  // namespace muster::placement
