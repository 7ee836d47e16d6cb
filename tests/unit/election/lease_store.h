// A lease as the API server keeps it: versions, conflicts, and replies that get lost.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "election/elector.h"

namespace muster::test {

class LeaseStore {
 public:
  [[nodiscard]] election::Reply apply(const election::Call& call) {
    if (std::holds_alternative<election::Read>(call)) return lease;
    if (const auto* create = std::get_if<election::Create>(&call)) {
      if (lease) return fail(ErrorCode::kConflict, "already exists");
      return put(create->lease);
    }
    const kube::Lease& wanted = std::get<election::Update>(call).lease;
    if (!lease) return fail(ErrorCode::kNotFound, "not found");
    if (wanted.resource_version != lease->resource_version)
      return fail(ErrorCode::kConflict, "version {} is not {}", wanted.resource_version,
                  lease->resource_version);
    return put(wanted);
  }

  std::optional<kube::Lease> lease;

 private:
  election::Reply put(kube::Lease written) {
    written.resource_version = std::to_string(++version_);
    lease = written;
    return lease;
  }

  uint64_t version_ = 100;
};

}  // namespace muster::test
