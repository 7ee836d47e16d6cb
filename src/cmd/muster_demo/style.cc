#include "cmd/muster_demo/style.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace muster::demo {
namespace {

std::string_view code_of(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "0";
    case Ink::kBold:
      return "1";
    case Ink::kDim:
      return "90";
    case Ink::kGreen:
      return "32";
    case Ink::kRed:
      return "31";
    case Ink::kCyan:
      return "1;36";
    case Ink::kMagenta:
      return "1;35";
    case Ink::kYellow:
      return "1;33";
    case Ink::kBlue:
      return "1;34";
  }
  return "0";
}

// The locale's name, by POSIX's order of precedence.
std::string locale_name() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

bool is_utf8(const std::string& locale) {
  return locale.find("UTF-8") != std::string::npos || locale.find("utf8") != std::string::npos ||
         locale.find("UTF8") != std::string::npos || locale.find("utf-8") != std::string::npos;
}

}  // namespace

Style style_of_stdout() {
  return {isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr, is_utf8(locale_name())};
}

std::string painted(const Style& style, Ink ink, std::string_view text) {
  if (!style.colour || ink == Ink::kPlain) return std::string(text);
  return "\x1b[" + std::string(code_of(ink)) + "m" + std::string(text) + "\x1b[0m";
}

std::string wrapped(std::string_view text, std::string_view indent, std::size_t width) {
  std::string out, line;
  const auto flush = [&] {
    if (!line.empty()) out += std::string(indent) + line + "\n";
    line.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > width) flush();
    if (!line.empty()) line += ' ';
    line += word;
  }
  flush();
  return out;
}

}  // namespace muster::demo
