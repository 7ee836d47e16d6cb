#include "kube/fingerprint.h"

#include <bit>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace muster::kube {
namespace {

// SipHash-2-4 with 128 bits (Aumasson, Bernstein): a keyed hash, of which nobody who does not know the key
// can find two texts that agree. Several times as fast as a digest without a key.
class SipHash {
 public:
  using Key = std::array<uint64_t, 2>;
  static Key random_key() {
    std::random_device device;
    const auto half = [&] { return (uint64_t{device()} << 32) | device(); };
    return {half(), half()};
  }

  explicit SipHash(const Key& key)
      : v0_(key[0] ^ 0x736f6d6570736575),
        v1_(key[1] ^ 0x646f72616e646f6d ^ 0xee),
        v2_(key[0] ^ 0x6c7967656e657261),
        v3_(key[1] ^ 0x7465646279746573) {}

  [[nodiscard]] Fingerprint digest(std::string_view text) {
    const std::size_t whole = text.size() / 8 * 8;
    for (std::size_t at = 0; at < whole; at += 8) take(word(text.data() + at, 8));
    take((uint64_t{text.size()} << 56) | word(text.data() + whole, text.size() - whole));
    v2_ ^= 0xee;
    const uint64_t first = finish();
    v1_ ^= 0xdd;
    const uint64_t second = finish();
    Fingerprint result;
    std::memcpy(result.data(), &first, sizeof first);
    std::memcpy(result.data() + sizeof first, &second, sizeof second);
    return result;
  }

 private:
  static uint64_t word(const char* bytes, std::size_t count) {
    uint64_t result = 0;
    std::memcpy(&result, bytes, count);
    return result;
  }
  void take(uint64_t word) {
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
  }
  uint64_t finish() {
    for (int i = 0; i < 4; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }
  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  uint64_t v0_, v1_, v2_, v3_;
};

// Everything with its length before it, so that no two objects give the same bytes.
class Bytes {
 public:
  explicit Bytes(std::string& buffer) : out_(buffer) { out_.clear(); }

  void add(std::string_view text) {
    number(text.size());
    out_.append(text);
  }
  void add(const std::string& text) { add(std::string_view(text)); }
  void add(const char* text) { add(std::string_view(text)); }
  void add(bool value) { out_.push_back(value ? '\1' : '\0'); }
  void add(int64_t value) { number(static_cast<uint64_t>(value)); }
  void add(int32_t value) { number(static_cast<uint64_t>(value)); }
  void add(PodPhase phase) { number(static_cast<uint64_t>(phase)); }
  void add(const LabelRef& label) { both(label.key(), label.value()); }
  void add(const std::pair<const std::string, std::string>& entry) { both(entry.first, entry.second); }
  void add(const ResourceList::Entry& entry) { both(entry.first, entry.second); }
  void add(const Taint& t) { each(t.key, t.value, t.effect); }
  void add(const Toleration& t) { each(t.key, t.op, t.value, t.effect); }
  void add(const SelectorRequirement& r) {
    each(r.key, r.op);
    list(r.values);
  }
  void add(const NodeSelectorTerm& term) {
    list(term.labels);
    list(term.fields);
  }
  void add(const OwnerReference& owner) { each(owner.kind, owner.name, owner.uid); }
  void add(const ResourceList& resources) { list(resources.entries()); }
  void add(const StringMap& map) { list(map); }
  void add(const Labels& labels) { list(labels); }
  void add(const NodeSet& set) {
    list(set.node_selector);
    add(set.required_affinity.has_value());
    if (set.required_affinity) list(*set.required_affinity);
    list(set.tolerations);
  }
  void add(const std::optional<bool>& value) { number(value ? 1 + uint64_t{*value} : 0); }
  void add(const std::optional<OwnerReference>& owner) {
    add(owner.has_value());
    if (owner) add(*owner);
  }
  template <typename T>
  void add(const std::vector<T>& values) {
    list(values);
  }

  template <typename... Values>
  void each(const Values&... values) {
    (add(values), ...);
  }

  [[nodiscard]] Fingerprint digest() const {
    static const SipHash::Key key = SipHash::random_key();
    return SipHash(key).digest(out_);
  }

 private:
  void number(uint64_t value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out_.append(bytes, sizeof bytes);
  }
  template <typename A, typename B>
  void both(const A& a, const B& b) {
    add(a);
    add(b);
  }
  template <typename List>
  void list(const List& values) {
    number(values.size());
    for (const auto& value : values) add(value);
  }

  std::string& out_;
};

std::string& buffer_of_this_thread() {
  thread_local std::string buffer;
  return buffer;
}

}  // namespace

Fingerprint fingerprint_of(const Node& n) {
  Bytes bytes(buffer_of_this_thread());
  bytes.each(n.name, n.uid, n.labels, n.taints, n.unschedulable, n.ready, n.allocatable);
  return bytes.digest();
}

Fingerprint fingerprint_of(const Pod& p) {
  Bytes bytes(buffer_of_this_thread());
  bytes.each(p.ns, p.name, p.uid, p.annotations, p.labels, p.creation_seconds, p.terminating, p.controller,
             p.scheduler_name, p.node_name, p.priority, p.in_native_group, p.scheduling_gates,
             p.readiness_gates, p.node_set, p.requests, p.unmodelled, p.phase, p.ready, p.containers_ready,
             p.group_ready, p.nominated_node, p.unschedulable_message);
  return bytes.digest();
}

Fingerprint fingerprint_of(const NodeSet& set) {
  Bytes bytes(buffer_of_this_thread());
  bytes.add(set);
  return bytes.digest();
}

}  // namespace muster::kube
