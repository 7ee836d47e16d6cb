// Keeps a consumer informed of all objects of one kind: lists, watches, recovers, and reports what changed.
//
// The first delivery is a Replace with everything. Later lists (after the server has forgotten the version we
// were at) are compared with what is known and reported as Upsert and Remove like events of the watch, so
// that the consumer never sees the same state twice. Objects that differ in their resource version only are
// dropped; of objects that cannot be decoded, which is logged, the last readable state stays. An object that
// was deleted and made again under its name is reported as Remove and Upsert.
//
// Thread rule: start() once; deliver() is called on the reflector's own thread, in order, and may block,
// which is the back-pressure: nothing more is read meanwhile. stop() returns after deliver() has, so a
// consumer that blocks must be released first. synced(), stats() and size() from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include "base/log.h"
#include "kube/decode.h"
#include "kube/list_watch.h"
#include "kube/object_cache.h"
#include "kube/watch_metrics.h"

namespace muster::kube {

inline constexpr std::string_view kNodesPath = "/api/v1/nodes";
inline constexpr std::string_view kPodsPath = "/api/v1/pods";

template <typename T>
class Reflector {
 public:
  // `clock` must outlive this. options.path is kNodesPath or kPodsPath, with T accordingly.
  Reflector(ListWatchOptions options, std::shared_ptr<Credentials> credentials, const Clock& clock,
            Random random, std::function<void(DeltaBatch<T>)> deliver)
      : path_(options.path),
        clock_(clock),
        cache_([this, deliver = std::move(deliver)](DeltaBatch<T> batch) {
          const TimePoint before = clock_.now();
          deliver(std::move(batch));
          waited_ += (clock_.now() - before).count();
        }),
        list_watch_(std::move(options), std::move(credentials), clock, std::move(random), events()) {}
  ~Reflector() { stop(); }
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  void start() {
    thread_ = std::thread([this] { list_watch_.run(); });
  }
  void stop() {
    list_watch_.stop();
    if (thread_.joinable()) thread_.join();
  }

  // The first Replace has been delivered.
  [[nodiscard]] bool synced() const { return synced_; }
  [[nodiscard]] std::size_t size() const { return cache_.size(); }
  [[nodiscard]] uint64_t unchanged() const { return cache_.unchanged(); }
  [[nodiscard]] uint64_t undecodable_objects() const { return undecodable_; }
  [[nodiscard]] ListWatchStats stats() const { return list_watch_.stats(); }
  // `resource`: what metrics call it.
  [[nodiscard]] ReflectorCounts counts(std::string resource) const {
    return {std::move(resource), stats(), size(), unchanged(), undecodable_, Duration(waited_)};
  }

 private:
  ListWatchEvents events() {
    ListWatchEvents events;
    events.list_began = [this] { cache_.begin_list(); };
    events.listed = [this](std::string_view json) {
      if (auto item = decoded(json)) return cache_.listed(*std::move(item));
      if (const auto meta = read_meta(json)) cache_.listed_unreadable(key_of(*meta), meta->uid);
    };
    events.list_ended = [this] {
      cache_.end_list();
      synced_ = true;
    };
    events.changed = [this](const WatchEvent& event) { return apply(event); };
    events.drained = [this] { cache_.flush(); };
    return events;
  }

  std::optional<std::string> apply(const WatchEvent& event) {
    auto item = decoded(event.object);
    if (!item) return apply_unreadable(event);
    std::string version = item->resource_version;
    if (event.type == WatchEventType::kDeleted) {
      cache_.remove(*std::move(item));
    } else {
      cache_.upsert(*std::move(item));
    }
    return version;
  }

  std::optional<std::string> apply_unreadable(const WatchEvent& event) {
    auto meta = read_meta(event.object);
    if (!meta) return std::nullopt;
    if (event.type == WatchEventType::kDeleted) {
      T last;
      set_identity(last, key_of(*meta), std::move(meta->uid));
      cache_.remove(std::move(last));
    }
    return std::move(meta->resource_version);
  }

  std::optional<T> decoded(std::string_view json) {
    auto item = decode<T>(json);
    if (item) return *std::move(item);
    ++undecodable_;
    log_warning("{}: an object is skipped: {}", path_, item.error().message);
    return std::nullopt;
  }

  const std::string path_;
  const Clock& clock_;
  std::atomic<int64_t> waited_ = 0;  // milliseconds
  ObjectCache<T> cache_;
  std::atomic<bool> synced_ = false;
  std::atomic<uint64_t> undecodable_ = 0;
  ListWatch list_watch_;
  std::thread thread_;
};

}  // namespace muster::kube
