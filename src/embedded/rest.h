// Paths and verbs of the Kubernetes API on top of the store, without HTTP: a call in, a reply out. Watches
// are only recognised here; watch.h runs them.
//
// Served: list, watch, get, create, replace, delete, merge and strategic merge patches of the kinds in
// resource.h, the subresource status, and binding and eviction of pods. Not served: selectors and pages (a
// list is whole), server-side apply and JSON patches, deleting collections.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "embedded/admission.h"
#include "embedded/failure.h"
#include "embedded/store.h"
#include "embedded/watch.h"

namespace muster::embedded {

struct Call {
  std::string method;
  std::string path;  // percent-decoded
  std::string content_type;
  std::string body;
  std::function<std::string(std::string_view)> query;  // "" when absent
};

struct Reply {
  int code = 200;
  Json body;
  std::optional<WatchParams> watch;  // when set, the reply is this watch and not the body
};

class Rest {
 public:
  // store outlives the Rest.
  Rest(Store& store, AdmissionOptions admission, std::function<std::string()> now);

  // Thread-safe. Refusals are Status objects.
  [[nodiscard]] Reply handle(const Call& call) const;

 private:
  [[nodiscard]] Answer<Reply> dispatch(const Call& call) const;
  [[nodiscard]] Answer<Reply> read(const Call& call, const Target& target) const;
  [[nodiscard]] Answer<Reply> create(const Call& call, const Target& target) const;
  [[nodiscard]] Answer<Reply> replace(const Call& call, const Target& target) const;
  [[nodiscard]] Answer<Reply> patch(const Call& call, const Target& target) const;
  [[nodiscard]] Answer<Reply> remove(const Call& call, const Target& target) const;
  [[nodiscard]] Answer<Reply> bind(const Call& call, const Target& target) const;
  [[nodiscard]] Answer<Reply> evict(const Call& call, const Target& target) const;

  Store& store_;
  const AdmissionOptions admission_;
  const std::function<std::string()> now_;
  mutable std::atomic<uint64_t> generated_names_{0};
};

}  // namespace muster::embedded
