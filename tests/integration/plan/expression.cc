#include "expression.h"

#include <charconv>
#include <regex>
#include <stdexcept>

namespace muster::plan_cases {
namespace {

class Reader {
 public:
  Reader(std::string_view text, int64_t i) : rest_(text), i_(i) {}

  int64_t all() {
    const int64_t value = sum();
    if (!rest_.empty()) fail();
    return value;
  }

 private:
  [[noreturn]] void fail() const {
    throw std::invalid_argument("expression: unexpected '" + std::string(rest_) + "'");
  }

  char peek() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    return rest_.empty() ? '\0' : rest_.front();
  }

  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  int64_t sum() {
    int64_t value = product();
    while (true) {
      if (take('+'))
        value += product();
      else if (take('-'))
        value -= product();
      else
        return value;
    }
  }

  int64_t product() {
    int64_t value = atom();
    while (true) {
      const char sign = peek();
      if (sign != '*' && sign != '/' && sign != '%') return value;
      rest_.remove_prefix(1);
      const int64_t other = atom();
      if (sign != '*' && other == 0) throw std::invalid_argument("expression: division by zero");
      value = sign == '*' ? value * other : sign == '/' ? value / other : value % other;
    }
  }

  int64_t atom() {
    if (take('i')) return i_;
    if (take('(')) {
      const int64_t value = sum();
      if (!take(')')) fail();
      return value;
    }
    peek();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) fail();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  std::string_view rest_;
  const int64_t i_;
};

const std::regex& placeholder() {
  static const std::regex regex(R"(\{([0-9+*/%() -]*i[i0-9+*/%() -]*)\})");
  return regex;
}

}  // namespace

int64_t evaluate(std::string_view expression, int64_t i) { return Reader(expression, i).all(); }

std::string expand(const std::string& text, int64_t i) {
  if (text.find('{') == std::string::npos) return text;
  std::string out;
  auto rest = text.cbegin();
  for (std::sregex_iterator it(text.begin(), text.end(), placeholder()), end; it != end; ++it) {
    out.append(rest, (*it)[0].first);
    out += std::to_string(evaluate((*it)[1].str(), i));
    rest = (*it)[0].second;
  }
  return out.append(rest, text.cend());
}

nlohmann::json expand(const nlohmann::json& value, int64_t i) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    std::smatch match;
    if (std::regex_match(text, match, placeholder())) return evaluate(match[1].str(), i);
    return expand(text, i);
  }
  if (value.is_array()) {
    nlohmann::json out = nlohmann::json::array();
    for (const auto& item : value) out.push_back(expand(item, i));
    return out;
  }
  if (!value.is_object()) return value;
  nlohmann::json out = nlohmann::json::object();
  for (const auto& [key, item] : value.items()) out[expand(key, i)] = expand(item, i);
  return out;
}

}  // namespace muster::plan_cases
