// The node names that kube-scheduler offers, as the text between the brackets of a JSON list: "a","b","c".
// Names are kept as they came, so that giving them all back is one copy and looking for one is a memory scan.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace muster::extender {

class NodeNames {
 public:
  NodeNames() = default;

  // Nothing unless text is names in quotes with commas between and nothing else: no space, no escape, nothing
  // beyond ASCII, no comma or quote in a name. What this accepts is valid JSON between
  // brackets. text outlives the result. One pass, 16 bytes at a time.
  [[nodiscard]] static std::optional<NodeNames> from_plain(std::string_view text);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // One memory scan.
  [[nodiscard]] bool contains(std::string_view name) const;

  // In order.
  template <typename Use>
  void for_each(Use use) const {
    for (std::size_t at = 0; at < text_.size();) {
      std::size_t end = text_.find('"', at + 1);
      use(text_.substr(at + 1, end - at - 1));
      at = end + 2;
    }
  }

 private:
  NodeNames(std::string_view text, std::size_t size) : text_(text), size_(size) {}

  std::string_view text_;
  std::size_t size_ = 0;
};

}  // namespace muster::extender
