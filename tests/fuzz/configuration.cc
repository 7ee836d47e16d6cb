// The MusterConfiguration file.
#include "config/config.h"
#include "fuzz/target.h"

MUSTER_FUZZ_TARGET(configuration) {
  const auto configuration = muster::config::parse(input, "f");
  if (!configuration) {
    EXPECT_THAT(configuration.error().message.find('\n') == std::string::npos);
    return;
  }
  EXPECT_THAT(configuration->kubernetes.qps > 0 && configuration->kubernetes.workers > 0);
}
