#include "kube/labels.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_set>

#include "base/error.h"

namespace muster::kube {

struct SharedLabel {
  std::string key;
  std::string value;
  std::size_t hash = 0;
  std::atomic<uint64_t> references{1};
};

namespace {

struct Text {
  std::string_view key;
  std::string_view value;
  std::size_t hash;
};

struct Hash {
  using is_transparent = void;
  std::size_t operator()(const SharedLabel* label) const { return label->hash; }
  std::size_t operator()(const Text& text) const { return text.hash; }
};
struct Equal {
  using is_transparent = void;
  bool operator()(const SharedLabel* a, const SharedLabel* b) const { return a == b; }
  bool operator()(const Text& a, const SharedLabel* b) const {
    return a.key == b->key && a.value == b->value;
  }
  bool operator()(const SharedLabel* a, const Text& b) const { return (*this)(b, a); }
};

class Pool {
 public:
  SharedLabel* take(std::string_view key, std::string_view value) {
    const Text text{
        key, value,
        std::hash<std::string_view>{}(key) * 0x9e3779b97f4a7c15ULL + std::hash<std::string_view>{}(value)};
    Shard& shard = shard_of(text.hash);
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.labels.find(text); found != shard.labels.end()) {
      (*found)->references.fetch_add(1, std::memory_order_relaxed);
      return *found;
    }
    auto* label = new SharedLabel{std::string(key), std::string(value), text.hash};
    shard.labels.insert(label);
    return label;
  }

  // The last reference goes under the lock, so that take() never hands out what is being deleted.
  void give_back(SharedLabel* label) {
    uint64_t seen = label->references.load(std::memory_order_relaxed);
    while (seen > 1) {
      if (label->references.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel)) return;
    }
    Shard& shard = shard_of(label->hash);
    const std::lock_guard lock(shard.mutex);
    if (label->references.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    shard.labels.erase(label);
    delete label;
  }

  std::size_t size() {
    std::size_t count = 0;
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      count += shard.labels.size();
    }
    return count;
  }

 private:
  struct Shard {
    std::mutex mutex;
    std::unordered_set<SharedLabel*, Hash, Equal> labels;
  };
  Shard& shard_of(std::size_t hash) { return shards_[(hash >> 32) % shards_.size()]; }
  std::array<Shard, 16> shards_;
};

// Never destroyed: labels may go later than any static.
Pool& pool() {
  static Pool& instance = *new Pool;
  return instance;
}

// What this thread met last, found without hashing the whole text and without a lock. Nodes come one after
// the other with the same labels.
class Recent {
 public:
  const LabelRef& find(std::string_view key, std::string_view value) {
    LabelRef& place = places_[index_of(key, value)];
    if (!filled(place, key, value)) place = LabelRef(key, value);
    return place;
  }

 private:
  static std::size_t index_of(std::string_view key, std::string_view value) {
    std::size_t mixed = key.size() * 31 + value.size();
    for (std::size_t i = 0; i < 4 && i < key.size(); ++i)
      mixed = mixed * 31 + static_cast<unsigned char>(key[key.size() - 1 - i]);
    for (std::size_t i = 0; i < 4 && i < value.size(); ++i)
      mixed = mixed * 31 + static_cast<unsigned char>(value[value.size() - 1 - i]);
    return mixed % kPlaces;
  }
  bool filled(const LabelRef& place, std::string_view key, std::string_view value) const {
    return !(place == LabelRef()) && place.key() == key && place.value() == value;
  }

  static constexpr std::size_t kPlaces = 509;
  std::array<LabelRef, kPlaces> places_;
};

auto position(std::vector<LabelRef>& labels, std::string_view key) {
  return std::lower_bound(
      labels.begin(), labels.end(), key,
      [](const LabelRef& label, std::string_view wanted) { return label.key() < wanted; });
}

}  // namespace

LabelRef::LabelRef(std::string_view key, std::string_view value) : label_(pool().take(key, value)) {}
LabelRef::LabelRef(const LabelRef& other) noexcept : label_(other.label_) {
  if (label_ != nullptr) label_->references.fetch_add(1, std::memory_order_relaxed);
}
LabelRef::~LabelRef() {
  if (label_ != nullptr) pool().give_back(label_);
}
const std::string& LabelRef::key() const { return label_->key; }
const std::string& LabelRef::value() const { return label_->value; }

Labels::Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  for (const auto& [key, value] : labels) set(key, value);
}

const std::string* Labels::find(std::string_view key) const {
  const auto it =
      std::lower_bound(labels_.begin(), labels_.end(), key,
                       [](const LabelRef& label, std::string_view wanted) { return label.key() < wanted; });
  return it != labels_.end() && it->key() == key ? &it->value() : nullptr;
}

const std::string& Labels::at(std::string_view key) const {
  const std::string* value = find(key);
  MUSTER_CHECK(value != nullptr);
  return *value;
}

void Labels::set(std::string_view key, std::string_view value) {
  thread_local Recent recent;
  const LabelRef& label = recent.find(key, value);
  // The API server sends them by key.
  if (labels_.empty() || labels_.back().key() < key) {
    labels_.push_back(label);
    return;
  }
  const auto it = position(labels_, key);
  if (it->key() == key) {
    *it = label;
  } else {
    labels_.insert(it, label);
  }
}

void Labels::erase(std::string_view key) {
  const auto it = position(labels_, key);
  if (it != labels_.end() && it->key() == key) labels_.erase(it);
}

std::size_t label_count() { return pool().size(); }

}  // namespace muster::kube
