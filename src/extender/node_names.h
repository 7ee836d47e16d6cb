// The node names that kube-scheduler offers, as the text between the brackets of a JSON list: "a","b","c".
// Names are kept as they came, so that giving them all back is no copy at all and looking for one is a memory
// scan.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "extender/name_scan.h"

namespace muster::extender {

class NodeNames {
 public:
  NodeNames() = default;

  // Nothing unless text is names in quotes with commas between and nothing else: no space, no escape, nothing
  // beyond ASCII, no comma or quote in a name. What this accepts is valid JSON between
  // brackets. text outlives the result. One memory scan.
  [[nodiscard]] static std::optional<NodeNames> from_plain(std::string_view text) {
    bool found = false;
    return from_plain(text, {}, found);
  }
  // Looks for a name in the same scan; an empty one is not there.
  [[nodiscard]] static std::optional<NodeNames> from_plain(std::string_view text, std::string_view wanted,
                                                           bool& found) {
    ListScan scan = scan_list(text, wanted);
    found = scan.found;
    if (!scan.plain) return std::nullopt;
    return NodeNames(text);
  }

  [[nodiscard]] std::string_view text() const { return text_; }
  // One memory scan.
  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    for_each([&](std::string_view) { ++count; });
    return count;
  }
  // One memory scan.
  [[nodiscard]] bool contains(std::string_view name) const { return scan_list(text_, name).found; }

  // In order.
  template <typename Use>
  void for_each(Use use) const {
    if (text_.empty()) return;
    std::array<uint32_t, kCommaBlock> commas;
    std::size_t name = 1;  // where the next one begins
    for (std::size_t block = 0; block < text_.size(); block += kCommaBlock) {
      std::size_t count = commas_in(text_.substr(block, kCommaBlock), commas.data());
      for (std::size_t i = 0; i < count; ++i) {
        std::size_t comma = block + commas[i];
        use(text_.substr(name, comma - 1 - name));
        name = comma + 2;
      }
    }
    use(text_.substr(name, text_.size() - 1 - name));
  }

 private:
  explicit NodeNames(std::string_view text) : text_(text) {}

  std::string_view text_;
};

}  // namespace muster::extender
