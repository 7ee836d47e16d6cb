#include "kube/base64.h"

#include <cstdint>

namespace muster::kube {
namespace {

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  std::size_t characters = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ') continue;
    const int value = c == '=' ? 0 : value_of(c);
    if (c == '=') ++padding;
    if (value < 0 || (c != '=' && padding > 0)) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (++characters % 4 != 0) continue;
    for (const int shift : {16, 8, 0}) bytes += static_cast<char>(bits >> shift & 0xff);
    bits = 0;
  }
  if (characters % 4 != 0 || padding > 2 || padding > bytes.size()) return std::nullopt;
  bytes.erase(bytes.size() - padding);
  return bytes;
}

}  // namespace muster::kube
