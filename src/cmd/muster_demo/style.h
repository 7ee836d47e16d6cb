// How the demo writes to this terminal: colours and glyphs, or plain ASCII. Pure functions of a Style.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace muster::demo {

struct Style {
  bool colour = false;
  bool unicode = false;
};

enum class Ink { kPlain, kBold, kDim, kGreen, kRed, kCyan, kMagenta, kYellow, kBlue };

// Colours when stdout is a terminal and NO_COLOR is not set; glyphs when the locale is UTF-8.
[[nodiscard]] Style style_of_stdout();

[[nodiscard]] std::string painted(const Style& style, Ink ink, std::string_view text);

// Words of the text in lines of at most `width` bytes, each after `indent`.
[[nodiscard]] std::string wrapped(std::string_view text, std::string_view indent, std::size_t width = 80);

}  // namespace muster::demo
