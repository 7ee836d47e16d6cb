// What a reflector has been doing, as Prometheus text.
//
// Pure function: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kube/list_watch.h"

namespace muster::kube {

struct ReflectorCounts {
  std::string resource;  // "nodes", "pods"
  ListWatchStats stats;
  uint64_t objects = 0;
  uint64_t unchanged = 0;  // dropped, since nothing that matters had changed
  uint64_t undecodable_objects = 0;
  Duration waited{0};  // for the consumer to take what had come: the lag behind the server
};

[[nodiscard]] std::string metrics_text(const std::vector<ReflectorCounts>& reflectors);

}  // namespace muster::kube
