#include "embedded/store.h"

#include <algorithm>
#include <utility>

namespace muster::embedded {
namespace {

std::string ns_of(const Json& object) { return text_at(object, {"metadata", "namespace"}); }
std::string name_of(const Json& object) { return text_at(object, {"metadata", "name"}); }

Answer<void> check_identity(const Json& before, const Json& after, const std::string& what) {
  const Json& old_meta = at_path(before, {"metadata"});
  const Json& new_meta = at_path(after, {"metadata"});
  for (const char* key : {"name", "namespace"}) {
    if (text_at(new_meta, {key}) == text_at(old_meta, {key})) continue;
    return unacceptable("metadata.{} of {} cannot be changed to \"{}\"", key, what, text_at(new_meta, {key}));
  }
  for (const char* key : {"uid", "resourceVersion"}) {
    const std::string is = text_at(old_meta, {key});
    const std::string wanted = text_at(new_meta, {key});
    if (wanted.empty() || wanted == is) continue;
    return conflict(what, fmt::format("metadata.{} is \"{}\" and not \"{}\"", key, is, wanted));
  }
  return {};
}

void keep_identity(const Json& before, Json& after) {
  for (const char* key : {"uid", "resourceVersion", "creationTimestamp"}) {
    after["metadata"][key] = at_path(before, {"metadata", key});
  }
}

}  // namespace

Store::Store(StoreOptions options) : options_(std::move(options)) {}

Answer<Object> Store::create(Kind kind, Json object) {
  Key key{ns_of(object), name_of(object)};

  const std::lock_guard lock(mutex_);
  if (table(kind).contains(key)) return already_exists(describe(kind, key.first, key.second));
  Json& meta = object["metadata"];
  if (text_at(meta, {"uid"}).empty()) meta["uid"] = options_.new_uid();
  if (text_at(meta, {"creationTimestamp"}).empty()) meta["creationTimestamp"] = options_.now();
  Object stored = stamp(std::move(object));
  table(kind)[key] = stored;
  log(ChangeType::kAdded, kind, key.first, stored);
  if (kind == Kind::kEvent) {
    events_by_age_.push_back(std::move(key));
    forget_old_events();
  }
  return stored;
}

Answer<Object> Store::get(Kind kind, const std::string& ns, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = table(kind).find({ns, name});
  if (found == table(kind).end()) return not_found(describe(kind, ns, name));
  return found->second;
}

Answer<Object> Store::update(Kind kind, const std::string& ns, const std::string& name, const Edit& edit) {
  const std::lock_guard lock(mutex_);
  const auto found = table(kind).find({ns, name});
  if (found == table(kind).end()) return not_found(describe(kind, ns, name));

  const Json& before = *found->second;
  Json after = before;
  if (auto edited = edit(after); !edited) return tl::unexpected(edited.error());
  if (auto same = check_identity(before, after, describe(kind, ns, name)); !same) {
    return tl::unexpected(same.error());
  }
  keep_identity(before, after);
  if (after == before) return found->second;
  found->second = stamp(std::move(after));
  log(ChangeType::kModified, kind, ns, found->second);
  return found->second;
}

Answer<Object> Store::remove(Kind kind, const std::string& ns, const std::string& name, const Check& check) {
  const std::lock_guard lock(mutex_);
  const auto found = table(kind).find({ns, name});
  if (found == table(kind).end()) return not_found(describe(kind, ns, name));
  if (auto allowed = check(*found->second); !allowed) return tl::unexpected(allowed.error());

  Object last = stamp(*found->second);
  table(kind).erase(found);
  log(ChangeType::kDeleted, kind, ns, last);
  return last;
}

Listing Store::list(Kind kind, const std::string& ns) const {
  const std::lock_guard lock(mutex_);
  Listing listing;
  listing.version = version_;
  for (const auto& [key, object] : table(kind)) {
    if (ns.empty() || key.first == ns) listing.items.push_back(object);
  }
  return listing;
}

Answer<Changes> Store::changes(Kind kind, const std::string& ns, Version after,
                               std::chrono::steady_clock::time_point until) const {
  std::unique_lock lock(mutex_);
  if (after > version_) {
    return tl::unexpected(
        Failure{504, "Timeout", fmt::format("Too large resource version: {}, current: {}", after, version_)});
  }
  Changes found;
  found.seen = after;
  for (;;) {
    if (found.seen < forgotten_) {
      return expired(fmt::format("too old resource version: {} ({})", found.seen, forgotten_));
    }
    auto at =
        std::upper_bound(log_.begin(), log_.end(), found.seen,
                         [](Version version, const Change& change) { return version < change.version; });
    for (; at != log_.end(); ++at) {
      if (at->kind == kind && (ns.empty() || at->ns == ns)) found.items.push_back(*at);
    }
    found.seen = version_;
    if (!found.items.empty() || closed_) return found;
    if (changed_.wait_until(lock, until) == std::cv_status::timeout && found.seen == version_) return found;
  }
}

void Store::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool Store::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

Object Store::stamp(Json object) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  return std::make_shared<const Json>(std::move(object));
}

void Store::log(ChangeType type, Kind kind, const std::string& ns, Object object) {
  log_.push_back(Change{version_, type, kind, ns, std::move(object)});
  if (log_.size() > options_.log_length) {
    forgotten_ = log_.front().version;
    log_.pop_front();
  }
  changed_.notify_all();
}

void Store::forget_old_events() {
  Table& events = table(Kind::kEvent);
  while (events_by_age_.size() > options_.max_events) {
    const auto oldest = events.find(events_by_age_.front());
    events_by_age_.pop_front();
    if (oldest == events.end()) continue;
    Object last = stamp(*oldest->second);
    const std::string ns = oldest->first.first;
    events.erase(oldest);
    log(ChangeType::kDeleted, Kind::kEvent, ns, std::move(last));
  }
}

}  // namespace muster::embedded
