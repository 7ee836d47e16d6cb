#include "extender/node_names.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace muster::extender {
namespace {

std::vector<std::string> listed(const NodeNames& names) {
  std::vector<std::string> out;
  names.for_each([&](std::string_view name) { out.emplace_back(name); });
  return out;
}

TEST_CASE("node names: plain lists are taken as they are") {
  CHECK(NodeNames::from_plain("")->size() == 0);
  CHECK(listed(*NodeNames::from_plain("")).empty());
  CHECK(NodeNames::from_plain(R"("a")")->size() == 1);
  auto names = NodeNames::from_plain(R"("node-a","node-b.example","c")");
  REQUIRE(names);
  CHECK(names->size() == 3);
  CHECK(listed(*names) == std::vector<std::string>{"node-a", "node-b.example", "c"});
}

TEST_CASE("node names: a name is found only as a whole") {
  auto names = NodeNames::from_plain(R"("node-10","xnode-1","node-1")");
  CHECK(names->contains("node-1"));
  CHECK(names->contains("node-10"));
  CHECK(!names->contains("node"));
  CHECK(!names->contains("ode-1"));
  CHECK(!names->contains("node-1\",\"x"));
  CHECK(!names->contains(","));
  CHECK(!NodeNames::from_plain("")->contains("a"));
  CHECK(!NodeNames::from_plain("")->contains(""));
}

TEST_CASE("node names: whatever is not plain is left to the full parser") {
  // Valid JSON, but not in kube-scheduler's form.
  for (const char* text :
       {R"("a", "b")", R"( "a")", R"("a\u0062")", R"("ä")", R"(",")", R"("a",",b")", "1"}) {
    INFO(text);
    CHECK(nlohmann::json::accept("[" + std::string(text) + "]"));
    CHECK(!NodeNames::from_plain(text));
  }
  // No JSON at all.
  for (const char* text :
       {R"("a" "b")", R"("a",)", R"(,"a")", R"("a",,"b")", R"("a)", R"(a")", "\"a\nb\"", "\"", R"("a"b")",
        R"("a",","b"c")", R"(""a"")", R"(""")", R"("a","b"")", R"(","a"x")"}) {
    INFO(text);
    CHECK(!nlohmann::json::accept("[" + std::string(text) + "]"));
    CHECK(!NodeNames::from_plain(text));
  }
}

TEST_CASE("node names: text taken for plain is always valid JSON with the same names") {
  std::mt19937 random(7);
  const std::string alphabet = "ab\",,\"\"";
  int taken = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text = "\"";
    std::size_t length = random() % 40;
    for (std::size_t i = 0; i < length; ++i) text += alphabet[random() % alphabet.size()];
    text += "\"";
    auto names = NodeNames::from_plain(text);
    if (!names) continue;
    ++taken;
    auto parsed = nlohmann::json::parse("[" + text + "]", nullptr, false);
    REQUIRE(parsed.is_array());
    REQUIRE(listed(*names) == parsed.get<std::vector<std::string>>());
    REQUIRE(names->size() == parsed.size());
  }
  CHECK(taken > 1000);
}

TEST_CASE("node names: in lists of any length exactly the names that are listed are found") {
  std::mt19937 random(11);
  // Clusters name their nodes alike: only the middle differs, or the end, or the beginning, or the length.
  auto name = [&](unsigned shape, unsigned i) {
    std::string number = std::to_string(i);
    if (shape == 0) return "ip-10-0-" + number + ".eu-west-1.compute.internal";
    if (shape == 1) return "gpu-node-with-a-long-common-beginning-" + number;
    if (shape == 2) return number + ".rack.example";
    return std::string(1 + i, 'n');
  };
  for (int round = 0; round < 400; ++round) {
    unsigned shape = random() % 4;
    unsigned all = 1 + random() % (shape == 3 ? 60 : 3000);
    std::vector<bool> there(all);
    std::string text;
    for (unsigned i = 0; i < all; ++i) {
      there[i] = random() % 4 != 0;
      if (there[i]) text += (text.empty() ? "\"" : ",\"") + name(shape, i) + "\"";
    }
    for (int look = 0; look < 20; ++look) {
      unsigned i = look == 0 ? 0 : look == 1 ? all - 1 : random() % all;
      bool found = false;
      REQUIRE(NodeNames::from_plain(text, name(shape, i), found));
      INFO(shape << " " << i << " of " << all);
      REQUIRE(found == there[i]);
      REQUIRE(NodeNames::from_plain(text)->contains(name(shape, i)) == there[i]);
    }
  }
}

// At the end of memory of its own, so that AddressSanitizer sees a byte that is read beyond.
struct Placed {
  Placed(std::string_view text, std::size_t offset)
      : memory(new char[offset + text.size()]), view(memory.get() + offset, text.size()) {
    std::copy(text.begin(), text.end(), memory.get() + offset);
  }
  std::unique_ptr<char[]> memory;
  std::string_view view;
};

TEST_CASE("node names: every width of the scan sees the same, at any length and wherever the list lies") {
  for (const ScanWidth width : {ScanWidth::k16, widest_scan()}) {
    for (std::size_t length = 1; length <= 150; ++length) {
      const std::string last(length, 'z');
      const std::string text = "\"a\",\"" + last + "\"";
      for (std::size_t offset = 0; offset < 32; ++offset) {
        INFO(length << " at " << offset);
        const Placed placed(text, offset);
        REQUIRE(scan_list(placed.view, last, width).found);
        REQUIRE(scan_list(placed.view, "a", width).found);
        const ListScan without = scan_list(placed.view, last + "z", width);
        REQUIRE((without.plain && !without.found));
        REQUIRE(!scan_list(placed.view.substr(0, text.size() - 1), last, width).plain);
        placed.memory[offset + 5 + (length + offset) % length] = '\\';
        REQUIRE(!scan_list(placed.view, last, width).plain);
      }
    }
  }
}

TEST_CASE("node names: one bad byte is noticed wherever it stands in a long list") {
  std::string text = "\"node-0\"";
  for (int i = 1; i < 1500; ++i) text += ",\"node-" + std::to_string(i) + "\"";
  REQUIRE(NodeNames::from_plain(text)->size() == 1500);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (char bad : {'"', ',', '\\', '\x1f', '\x80', 'x'}) {
      char good = text[at];
      bool changes_nothing = good == bad || (bad == 'x' && good != '"' && good != ',');
      text[at] = bad;
      bool plain = NodeNames::from_plain(text).has_value();
      text[at] = good;
      if (plain != changes_nothing) FAIL("byte " << at << " as " << static_cast<int>(bad));
    }
  }
}

}  // namespace
}  // namespace muster::extender
