#include "kube/framing.h"

#include <array>
#include <bit>
#include <cstdint>

#include "base/text.h"
#include "kube/byte_masks.h"

namespace muster::kube {
namespace {

constexpr std::size_t kMaxRest = std::size_t{1} << 20;

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

// Where a scan outside of a string must look closer, and where one inside of a string must.
constexpr std::array<bool, 256> table_of(std::string_view characters) {
  std::array<bool, 256> table{};
  for (const char c : characters) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr auto kOutside = table_of("\"{}[]");
constexpr auto kInside = table_of("\"\\");

const char* next_of(const std::array<bool, 256>& table, const char* at, const char* end) {
  while (at != end && !table[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

}  // namespace

Result<void> LineSplitter::feed(std::string_view piece,
                                const std::function<bool(std::string_view)>& on_line) {
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    if (end == std::string_view::npos) {
      if (carry_.size() + piece.size() > kMaxObject)
        return fail(ErrorCode::kInternal, "a line is longer than {} bytes", kMaxObject);
      carry_.append(piece);
      return {};
    }
    std::string_view line = piece.substr(0, end);
    piece.remove_prefix(end + 1);
    if (!carry_.empty()) {
      carry_.append(line);
      line = carry_;
    }
    const bool wanted = is_blank(line) || on_line(line);
    carry_.clear();
    if (!wanted) return {};
  }
  return {};
}

// A state machine over bytes. Within an item, where nearly all bytes are, only depth and strings count.
Result<void> ListSplitter::feed(std::string_view piece,
                                const std::function<void(std::string_view)>& on_item) {
  const char* at = piece.data();
  const char* const end = at + piece.size();
  while (at != end) {
    if (in_item()) {
      const char* const begin = at;
      at = scan_item(at, end);
      const std::string_view part(begin, static_cast<std::size_t>(at - begin));
      if (auto taken = take_part(part, on_item); !taken) return taken;
      continue;
    }
    const bool was_in_items = in_items_;
    const char c = *at++;
    if (auto fine = step(c); !fine) return fine;
    if (in_item()) {
      carry_ = c;
    } else if (!was_in_items || !in_items_) {
      rest_ += c;
      if (rest_.size() > kMaxRest) return fail(ErrorCode::kInternal, "a list without items");
    }
  }
  return {};
}

// Whole blocks within which the item cannot end: brackets are counted and not looked at one by one.
const char* ListSplitter::skip_blocks(const char* at, const char* const end) {
  while (!escaped_ && static_cast<std::size_t>(end - at) >= ByteMasks::kBytes) {
    const ByteMasks masks(at);
    if (masks.backslashes() != 0) return at;
    const uint64_t quotes = masks.quotes();
    const uint64_t text = prefix_xor(quotes) ^ (in_string_ ? ~uint64_t{0} : 0);
    const auto closed = static_cast<std::size_t>(std::popcount(masks.closing() & ~text));
    if (depth_ < closed + 3) return at;
    depth_ += static_cast<std::size_t>(std::popcount(masks.opening() & ~text)) - closed;
    in_string_ = in_string_ != (std::popcount(quotes) % 2 == 1);
    at += ByteMasks::kBytes;
  }
  return at;
}

// To the end of the item or of the piece.
const char* ListSplitter::scan_item(const char* at, const char* const end) {
  const char* slow_until = at;
  while (at != end) {
    if (at >= slow_until) {
      at = skip_blocks(at, end);
      slow_until = at + ByteMasks::kBytes;
      continue;
    }
    if (escaped_) {
      escaped_ = false;
      ++at;
      continue;
    }
    at = next_of(in_string_ ? kInside : kOutside, at, end);
    if (at == end) break;
    const char c = *at++;
    if (c == '"') {
      in_string_ = !in_string_;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (--depth_ == 2) {
      break;
    }
  }
  return at;
}

Result<void> ListSplitter::take_part(std::string_view part,
                                     const std::function<void(std::string_view)>& on_item) {
  if (carry_.size() + part.size() > kMaxObject)
    return fail(ErrorCode::kInternal, "an item is longer than {} bytes", kMaxObject);
  carry_.append(part);
  if (in_item()) return {};
  on_item(carry_);
  carry_.clear();
  return {};
}

Result<void> ListSplitter::step(char c) {
  if (in_string_) {
    in_text(c);
    return {};
  }
  switch (c) {
    case '"':
      in_string_ = true;
      if (depth_ == 1) last_text_.clear();
      return check_element(c);
    case ':':
      if (depth_ == 1) key_ = last_text_;
      return {};
    case '{':
    case '[':
      if (auto fine = check_element(c); !fine) return fine;
      if (depth_ == 0 && (c == '[' || ended_)) return fail(ErrorCode::kInternal, "the list is not an object");
      if (depth_ == 1 && c == '[' && key_ == "items") in_items_ = true;
      ++depth_;
      return {};
    case '}':
    case ']':
      return close();
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case ',':
      return {};
    default:
      return check_element(c);
  }
}

void ListSplitter::in_text(char c) {
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    in_string_ = false;
    return;
  }
  if (depth_ == 1 && last_text_.size() < 64) last_text_ += c;
}

Result<void> ListSplitter::close() {
  if (depth_ == 0) return fail(ErrorCode::kInternal, "the list ends before it begins");
  --depth_;
  if (depth_ == 1) in_items_ = false;
  if (depth_ == 0) ended_ = true;
  return {};
}

// Directly within "items" only objects may begin.
Result<void> ListSplitter::check_element(char c) const {
  if (in_items_ && depth_ == 2 && c != '{')
    return fail(ErrorCode::kInternal, "items holds something that is not an object");
  if (depth_ == 0 && c != '{') return fail(ErrorCode::kInternal, "the list is not an object");
  return {};
}

Result<std::string> ListSplitter::finish() {
  if (!ended_ || depth_ != 0) return fail(ErrorCode::kInternal, "the list ends in the middle");
  return std::move(rest_);
}

}  // namespace muster::kube
