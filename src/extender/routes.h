// The verbs and pages under their paths on an HTTP server.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "extender/decisions.h"
#include "extender/service.h"
#include "http/server.h"

namespace muster::extender {

// A bind call waits on a worker of its own until its group's barrier opens, so a server with fewer workers
// than a group has members can never bind it. Enough for a group of that size and many calls beside it.
[[nodiscard]] constexpr std::size_t workers_for(uint64_t members_per_group) {
  constexpr std::size_t kOthers = 1024;
  return std::max(http::ServerOptions().max_workers, static_cast<std::size_t>(members_per_group) + kOthers);
}

// POST /filter, /bind, /preempt; GET /healthz, /readyz, /metrics. Both arguments outlive the server's calls.
void add_routes(http::Server& server, Service& service, Decisions& decisions);

}  // namespace muster::extender
