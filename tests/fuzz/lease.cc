// A lease of the API server: what is read of it can be written again and says the same.
#include "kube/lease.h"

#include "fuzz/target.h"

MUSTER_FUZZ_TARGET(lease) {
  using namespace muster::kube;
  const auto lease = decode_lease(input);
  if (!lease) return;
  const auto again = decode_lease(lease_patch(*lease));
  EXPECT_THAT(again.has_value());
  EXPECT_THAT(again->same_record(*lease) && again->resource_version == lease->resource_version);
}
