// The labels of a node. A cluster of 100,000 nodes has a few hundred different labels and millions of places
// where one stands, so equal labels are one text in memory, shared by all nodes and freed with the last.
//
// Thread rule: values, as std::map would be; two threads may work on two Labels at once.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::kube {

struct SharedLabel;  // labels.cc

// A counted reference to a label's text.
class LabelRef {
 public:
  LabelRef() = default;
  LabelRef(std::string_view key, std::string_view value);
  LabelRef(const LabelRef& other) noexcept;
  LabelRef(LabelRef&& other) noexcept : label_(std::exchange(other.label_, nullptr)) {}
  LabelRef& operator=(LabelRef other) noexcept {
    std::swap(label_, other.label_);
    return *this;
  }
  ~LabelRef();

  [[nodiscard]] const std::string& key() const;
  [[nodiscard]] const std::string& value() const;
  friend bool operator==(const LabelRef&, const LabelRef&) = default;  // equal text is one text

 private:
  SharedLabel* label_ = nullptr;
};

class Labels {
 public:
  Labels() = default;
  Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);

  // Nothing when the key is not there. O(log n).
  [[nodiscard]] const std::string* find(std::string_view key) const;
  // REQUIRES: the key is there.
  [[nodiscard]] const std::string& at(std::string_view key) const;
  [[nodiscard]] bool contains(std::string_view key) const { return find(key) != nullptr; }
  void set(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  // Room for so many labels and no more.
  void reserve(std::size_t count) { labels_.reserve(count); }
  [[nodiscard]] std::size_t size() const { return labels_.size(); }
  [[nodiscard]] bool empty() const { return labels_.empty(); }
  // By key.
  [[nodiscard]] auto begin() const { return labels_.begin(); }
  [[nodiscard]] auto end() const { return labels_.end(); }
  friend bool operator==(const Labels&, const Labels&) = default;

  // labels["key"] = "value".
  class Place {
   public:
    Place(Labels& labels, std::string_view key) : labels_(labels), key_(key) {}
    void operator=(std::string_view value) const { labels_.set(key_, value); }

   private:
    Labels& labels_;
    std::string_view key_;
  };
  [[nodiscard]] Place operator[](std::string_view key) { return {*this, key}; }

 private:
  std::vector<LabelRef> labels_;  // by key
};

// How many different labels are in memory; for tests.
[[nodiscard]] std::size_t label_count();

}  // namespace muster::kube
