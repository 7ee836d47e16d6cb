// The objects of the embedded API in memory, one version counter over all of them, and the log of changes
// that watches read. It knows no HTTP and no rules of a kind, only identity: name, namespace, uid, version.
//
// Thread rule: every function may be called from several threads at once. Objects handed out are immutable
// and shared. Time and uids come from the options, whose functions are called by one thread at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "embedded/failure.h"
#include "embedded/json.h"
#include "embedded/resource.h"

namespace muster::embedded {

using Object = std::shared_ptr<const Json>;
using Version = uint64_t;

enum class ChangeType { kAdded, kModified, kDeleted };

struct Change {
  Version version = 0;
  ChangeType type = ChangeType::kAdded;
  Kind kind = Kind::kPod;
  std::string ns;
  Object object;  // after the change; for kDeleted the last state with the version of the deletion
};

struct Listing {
  std::vector<Object> items;  // by namespace, then name
  Version version = 0;
};

struct Changes {
  std::vector<Change> items;  // oldest first
  Version seen = 0;           // all changes up to here have been looked at
};

struct StoreOptions {
  std::function<std::string()> now;      // RFC 3339
  std::function<std::string()> new_uid;  // never the same twice
  std::size_t log_length = 8192;         // older changes are forgotten: a watch from before them is 410
  std::size_t max_events = 4096;         // the oldest Event objects go first
};

class Store {
 public:
  using Edit = std::function<Answer<void>(Json&)>;
  using Check = std::function<Answer<void>(const Json&)>;

  explicit Store(StoreOptions options);

  // metadata.name (and namespace) are set by the caller; uid and creationTimestamp are kept when given.
  // AlreadyExists when the name is taken.
  [[nodiscard]] Answer<Object> create(Kind kind, Json object);
  [[nodiscard]] Answer<Object> get(Kind kind, const std::string& ns, const std::string& name) const;
  // Reads, edits and writes as one step; edit must not call the store. An edit that changes nothing makes no
  // new version. Conflict when the edit leaves another uid or resourceVersion in the object than it found:
  // this is how preconditions of patches and replacements are checked.
  [[nodiscard]] Answer<Object> update(Kind kind, const std::string& ns, const std::string& name,
                                      const Edit& edit);
  // check sees the object first and may refuse.
  [[nodiscard]] Answer<Object> remove(Kind kind, const std::string& ns, const std::string& name,
                                      const Check& check);
  // An empty namespace is all of them. O(objects of the kind).
  [[nodiscard]] Listing list(Kind kind, const std::string& ns) const;

  // Changes of a kind after a version, at least one of them, or none when `until` has come or the store is
  // closed. Expired when some of them may have been forgotten.
  [[nodiscard]] Answer<Changes> changes(Kind kind, const std::string& ns, Version after,
                                        std::chrono::steady_clock::time_point until) const;

  // Ends all waits, now and later. Objects stay readable.
  void close();
  [[nodiscard]] bool closed() const;

 private:
  using Key = std::pair<std::string, std::string>;  // namespace, name
  using Table = std::map<Key, Object>;

  Table& table(Kind kind) { return tables_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const Table& table(Kind kind) const { return tables_[static_cast<std::size_t>(kind)]; }
  // The three below: REQUIRES mutex_ is held.
  Object stamp(Json object);
  void log(ChangeType type, Kind kind, const std::string& ns, Object object);
  void forget_old_events();

  const StoreOptions options_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::array<Table, kKinds.size()> tables_;
  std::deque<Key> events_by_age_;
  std::deque<Change> log_;
  Version version_ = 1;
  Version forgotten_ = 1;  // changes up to here are not in the log
  bool closed_ = false;
};

}  // namespace muster::embedded
