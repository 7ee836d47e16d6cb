// Levels and domains as the witness sees them: a domain is the path of label values from the coarsest level
// down.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "case_file.h"

namespace muster::plan_cases {

class Domains {
 public:
  explicit Domains(const Json& trees) : trees_(trees) {}

  // "b1/r2"; absent when the node lacks the level's label. The host level is the node's name. A level goes by
  // its name, by TREE/NAME or by one of its label keys. Throws std::invalid_argument for an unknown level.
  [[nodiscard]] std::optional<std::string> of(const Json& node, const std::string& level) const;

  // As `muster plan` names them: the name, or TREE/NAME where two trees have one of that name.
  [[nodiscard]] std::vector<std::string> levels() const;

 private:
  const Json& trees_;
};

}  // namespace muster::plan_cases
