// The verbs and pages under their paths on an HTTP server.
#pragma once

#include "extender/decisions.h"
#include "extender/service.h"
#include "http/server.h"

namespace muster::extender {

// POST /filter, /bind, /preempt; GET /healthz, /readyz, /metrics. Both arguments outlive the server's calls.
void add_routes(http::Server& server, Service& service, Decisions& decisions);

}  // namespace muster::extender
