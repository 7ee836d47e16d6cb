// The server under load: the verbs on the HTTP server, as muster-extender has them, over decisions that
// answer as told. A process of its own, so that its memory is its own.
#pragma once

#include <string>

namespace muster::bench {

// Serves until SIGTERM; prints its port first. tls_dir holds tls.crt, tls.key and ca.crt, or is empty.
// GET /bench/waiting: how many binds wait; POST /bench/release: lets them go; GET /bench/times: the durations
// of filter calls in the server since the last time it was asked, in milliseconds, one a line.
[[nodiscard]] int serve(const std::string& tls_dir);

}  // namespace muster::bench
