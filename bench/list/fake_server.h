// An API server of made-up nodes and pods in a process of its own, so that its memory and its time are not
// counted as the client's. Nodes are listed in pages or as a stream; pods are none at first, and then as many
// events a second as asked for.
//
// Thread rule: start before any thread is made (it forks).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace muster::bench {

struct FakeOptions {
  uint32_t nodes = 100'000;
  std::size_t node_bytes = 9'000;
  uint32_t pod_events_per_second = 10'000;
  uint32_t pod_seconds = 0;  // so long pod events come; 0: none
};

class FakeServer {
 public:
  explicit FakeServer(const FakeOptions& options);
  ~FakeServer();  // ends the process
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  [[nodiscard]] std::string url() const { return url_; }
  [[nodiscard]] double cpu_seconds() const;  // of the server so far

 private:
  pid_t pid_ = 0;
  std::string url_;
};

}  // namespace muster::bench
