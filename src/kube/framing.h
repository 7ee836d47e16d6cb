// Cutting what arrives from the API server in arbitrary pieces into whole objects: lines of a watch, items of
// a list. Nothing is kept beyond the object that is incomplete, so that a list of any length costs no memory.
//
// Thread rule: one owner.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace muster::kube {

// A single object beyond this is refused; etcd stores 1.5 MiB by default.
inline constexpr std::size_t kMaxObject = std::size_t{32} << 20;

class LineSplitter {
 public:
  // Calls on_line(line) for every line that is complete now, without its end; blank lines are skipped. A
  // false from on_line ends the call. kInternal when a line is longer than kMaxObject.
  Result<void> feed(std::string_view piece, const std::function<bool(std::string_view)>& on_line);
  // Bytes of a line whose end has not come.
  [[nodiscard]] std::size_t pending() const { return carry_.size(); }

 private:
  std::string carry_;
};

// Takes a JSON list apart ({"kind": …, "metadata": {…}, "items": [{…}, …]}, keys in any order).
class ListSplitter {
 public:
  // Calls on_item(text) for every element of the top-level "items" that is complete now. The text is
  // balanced, but not checked otherwise. kInternal when an element is no object or larger than kMaxObject.
  Result<void> feed(std::string_view piece, const std::function<void(std::string_view)>& on_item);
  // After the last piece: the document with "items" left empty. kInternal when the document is not complete.
  [[nodiscard]] Result<std::string> finish();

 private:
  const char* skip_blocks(const char* at, const char* end);
  const char* scan_item(const char* at, const char* end);
  Result<void> take_part(std::string_view part, const std::function<void(std::string_view)>& on_item);
  Result<void> step(char c);
  void in_text(char c);
  Result<void> close();
  [[nodiscard]] Result<void> check_element(char c) const;
  [[nodiscard]] bool in_item() const { return in_items_ && depth_ > 2; }

  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_items_ = false;
  bool ended_ = false;
  std::string last_text_;  // of depth 1: the key, when a colon follows
  std::string key_;
  std::string rest_;   // what is outside of the items
  std::string carry_;  // the beginning of an item whose end has not come
};

}  // namespace muster::kube
