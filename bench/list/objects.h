// Nodes and pods as a live API server sends them, of the size they have in practice: images, managedFields
// and annotations make up most of a node. The text is made once as a template; what differs from object to
// object has a fixed width and is written over in place, so that a server of them costs next to nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace muster::bench {

// One object's JSON with places for a number of nine digits.
class ObjectTemplate {
 public:
  // '#########' in `text` are the places.
  explicit ObjectTemplate(std::string text);
  [[nodiscard]] std::size_t size() const { return text_.size(); }
  // Appends the object with this number.
  void append(std::string& out, uint32_t number) const;

 private:
  std::string text_;
  std::vector<std::size_t> places_;
};

// About `bytes` long, with 24 labels, 8 resources, 5 conditions; the list item form, without kind.
[[nodiscard]] std::string node_text(std::size_t bytes);

struct PodKind {
  bool member = false;  // of a group of 16, which is complete at 1 of them per object: it never is
  bool bound = false;
  bool ended = false;
};
// About 4 KB.
[[nodiscard]] std::string pod_text(const PodKind& kind);

}  // namespace muster::bench
