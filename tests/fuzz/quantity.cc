// Kubernetes quantities: what is accepted is at least zero, and its sums and products do not wrap around.
#include "kube/quantity.h"

#include "base/resources.h"
#include "fuzz/target.h"

MUSTER_FUZZ_TARGET(quantity) {
  using namespace muster::kube;
  const auto quantity = parse_quantity(input);
  if (!quantity) {
    EXPECT_THAT(!quantity.error().message.empty());
    EXPECT_THAT(quantity.error().message.find('\n') == std::string::npos);
    return;
  }
  EXPECT_THAT(quantity->value() >= 0 && quantity->milli_value() >= quantity->value() / 2);
  Quantity twice = *quantity;
  twice += *quantity;
  EXPECT_THAT(twice >= *quantity);
  // Another spelling of the same.
  if (input[0] >= '0' && input[0] <= '9' && input.size() < 1000)
    EXPECT_THAT(parse_quantity("+" + std::string(input)).value() == *quantity);
  muster::ResourceList list;
  list.add("cpu", amount_of("cpu", twice));
  list.add("cpu", amount_of("cpu", twice));
  EXPECT_THAT(list.get("cpu") >= amount_of("cpu", twice));
  (void)muster::amount_text("memory", quantity->value());
}
