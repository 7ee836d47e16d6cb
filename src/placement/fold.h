// The frontier of what a sequence of parts can hold together (T9, with T5 for parts that are domains).
//
// Each part offers a list of vectors, one of which it can hold (or anything smaller). fold() keeps, for every
// vector of counts of all dimensions but one, the largest count of that one: a table of
// Π (cap + 1) cells. Exact; a cell update is one step.
#pragma once

#include <cstdint>
#include <vector>

#include "placement/problem.h"

namespace muster::placement {

// Vectors of `width` counts, one after another.
struct Vectors {
  std::size_t width = 0;
  std::vector<uint32_t> data;

  [[nodiscard]] std::size_t size() const { return width == 0 ? 0 : data.size() / width; }
  [[nodiscard]] const uint32_t* operator[](std::size_t i) const { return data.data() + i * width; }
  void add(const uint32_t* vector) { data.insert(data.end(), vector, vector + width); }
};

// Drops vectors that another one covers. Quadratic.
void keep_maximal(Vectors& vectors);

class Fold {
 public:
  // Counts above the caps are of no interest. At least one dimension.
  explicit Fold(std::vector<uint32_t> caps);

  // Cells of the table, saturating: look at it before anything is added.
  [[nodiscard]] uint64_t cells() const { return cells_; }
  static constexpr uint64_t kMaxCells = 1 << 20;

  // Combines with one more part. False when the budget is used up: the fold is then useless. `remember` keeps
  // what take_back() needs.
  bool add(const Vectors& options, Budget& budget, bool remember = true);
  // Whether this vector, or a larger one, is reached.
  [[nodiscard]] bool reaches(const std::vector<uint32_t>& target) const;
  // The maximal vectors reached.
  [[nodiscard]] Vectors maximal() const;
  // For a reached target: what each part contributes; the contributions sum up to the target exactly.
  [[nodiscard]] std::vector<std::vector<uint32_t>> take_back(const std::vector<uint32_t>& target) const;

 private:
  [[nodiscard]] std::size_t cell_of(const uint32_t* vector) const;
  // Counts of all dimensions but the value's, padded with 0 for the value's.
  void counts_of(std::size_t cell, uint32_t* counts) const;

  static constexpr uint16_t kNothing = UINT16_MAX;
  struct Part {
    Vectors options;
    std::vector<uint16_t> choice;  // per cell: the option, or kNothing
  };

  std::vector<uint32_t> caps_;
  std::size_t value_ = 0;  // the dimension the table holds the maximum of
  std::vector<std::size_t> stride_;
  uint64_t cells_ = 1;
  std::vector<int32_t> best_;  // per cell; negative: not reached
  std::vector<Part> parts_;
};

}  // namespace muster::placement
