#include "extender/node_names.h"

#include <cstdint>
#include <cstring>
#include <string>

namespace muster::extender {
namespace {

// Sixteen bytes in one register, on every processor that g++ and clang know.
using Bytes = uint8_t __attribute__((vector_size(16)));
using SignedBytes = int8_t __attribute__((vector_size(16)));
constexpr std::size_t kBytes = sizeof(Bytes);

struct Counts {
  std::size_t quotes = 0;
  std::size_t commas = 0;
  std::size_t separators = 0;  // commas with a quote on each side
  bool bad = false;  // a character that plain names do not have, or a quote with a comma on each side
};

Bytes load(const char* from) {
  Bytes out;
  std::memcpy(&out, from, kBytes);
  return out;
}

std::size_t sum(Bytes counters) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < kBytes; ++i) total += counters[i];
  return total;
}

// Counts text[begin] to text[end - 1], at most 255 vectors; looks one byte further on both sides.
void count_vectors(const char* text, std::size_t begin, std::size_t end, Counts& out) {
  Bytes quotes = {};
  Bytes commas = {};
  Bytes separators = {};
  Bytes bad = {};
  for (std::size_t at = begin; at < end; at += kBytes) {
    Bytes before = load(text + at - 1);
    Bytes here = load(text + at);
    Bytes after = load(text + at + 1);
    // A comparison is 255 where it holds: subtracting it counts.
    Bytes is_quote = here == '"';
    Bytes is_comma = here == ',';
    quotes -= is_quote;
    commas -= is_comma;
    separators -= is_comma & (before == '"') & (after == '"');
    // As signed numbers, control characters and everything beyond ASCII are below a space.
    bad |= Bytes(SignedBytes(here) < 0x20) | (here == '\\') | (is_quote & (before == ',') & (after == ','));
  }
  out.quotes += sum(quotes);
  out.commas += sum(commas);
  out.separators += sum(separators);
  out.bad = out.bad || sum(bad) != 0;
}

void count_one(const char* text, std::size_t at, Counts& out) {
  auto here = static_cast<unsigned char>(text[at]);
  bool between = here == '"' && text[at - 1] == ',' && text[at + 1] == ',';
  out.bad = out.bad || here < 0x20 || here > 0x7f || here == '\\' || between;
  out.quotes += here == '"' ? 1 : 0;
  if (here != ',') return;
  ++out.commas;
  out.separators += text[at - 1] == '"' && text[at + 1] == '"' ? 1 : 0;
}

// Of all but the first and the last byte.
Counts count_inside(std::string_view text) {
  Counts out;
  const char* bytes = text.data();
  std::size_t at = 1;
  std::size_t end = text.size() - 1;
  while (at + kBytes <= end) {
    std::size_t vectors = std::min<std::size_t>((end - at) / kBytes, 255);
    count_vectors(bytes, at, at + vectors * kBytes, out);
    at += vectors * kBytes;
  }
  for (; at < end; ++at) count_one(bytes, at, out);
  return out;
}

}  // namespace

std::optional<NodeNames> NodeNames::from_plain(std::string_view text) {
  if (text.empty()) return NodeNames();
  bool framed = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  // The first and the last quote belong to no separator.
  if (!framed || text[1] == ',' || text[text.size() - 2] == ',') return std::nullopt;
  Counts counts = count_inside(text);
  // Each comma has two quotes of its own (none is shared: no quote stands between commas), and with the first
  // and the last that makes all quotes there are. So quotes open and close names in turn.
  bool plain = !counts.bad && counts.separators == counts.commas && counts.quotes == 2 * counts.commas;
  if (!plain) return std::nullopt;
  return NodeNames(text, counts.commas + 1);
}

bool NodeNames::contains(std::string_view name) const {
  if (text_.empty()) return false;
  std::string quoted;
  quoted.reserve(name.size() + 2);
  quoted += '"';
  quoted += name;
  quoted += '"';
  // In plain text a quote is always the edge of a name, and "," is the only text between two of them.
  if (name.find_first_of("\",") != std::string_view::npos) return false;
  return ::memmem(text_.data(), text_.size(), quoted.data(), quoted.size()) != nullptr;
}

}  // namespace muster::extender
