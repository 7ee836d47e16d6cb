#include "kube/framing.h"

#include <catch2/catch.hpp>
#include <vector>

namespace muster::kube {
namespace {

using Texts = std::vector<std::string>;

// The items, and the rest, of a list that arrives in pieces of `size` bytes; or the error.
struct Taken {
  Texts items;
  std::string rest;
  std::string error;
};
Taken take(std::string_view json, std::size_t size) {
  Taken taken;
  ListSplitter splitter;
  for (std::size_t at = 0; at < json.size(); at += size) {
    const auto fed =
        splitter.feed(json.substr(at, size), [&](std::string_view item) { taken.items.emplace_back(item); });
    if (!fed) {
      taken.error = fed.error().message;
      return taken;
    }
  }
  if (auto rest = splitter.finish()) {
    taken.rest = *rest;
  } else {
    taken.error = rest.error().message;
  }
  return taken;
}

TEST_CASE("a list is taken apart whatever the pieces it comes in") {
  const std::string a = R"({"metadata":{"name":"a","x":"}]\"\\"},"items":[{"items":[1]}]})";
  const std::string b = R"({ "b" : [ "{", "\\\"" ] })";
  const std::string json =
      R"( {"kind":"PodList", "metadata":{"items":["no"],"resourceVersion":"7"},"items" : [ )" + a + " ,\n" +
      b + R"(, {}], "apiVersion":"items"} )" + "\n";
  for (std::size_t size = 1; size <= json.size(); ++size) {
    CAPTURE(size);
    const Taken taken = take(json, size);
    CHECK(taken.error.empty());
    CHECK(taken.items == Texts{a, b, "{}"});
    CHECK(
        taken.rest ==
        R"( {"kind":"PodList", "metadata":{"items":["no"],"resourceVersion":"7"},"items" : [], "apiVersion":"items"} )"
        "\n");
  }
}

TEST_CASE("a list without items or with null has none") {
  CHECK(take(R"({"kind":"NodeList"})", 4).items.empty());
  CHECK(take(R"({"items":null,"metadata":{}})", 4).rest == R"({"items":null,"metadata":{}})");
  CHECK(take(R"({"items":[]})", 4).error.empty());
  CHECK(take(R"({"items":"[{}]","other":[{}]})", 3).items.empty());
}

TEST_CASE("what is no complete list of objects is an error") {
  for (const std::string json : {"", "{", "[]", "null", "\"items\"", "{\"items\":[", "{\"items\":[{}",
                                 "{\"items\":[{]", "{\"items\":[1]}", "{\"items\":[[]]}",
                                 "{\"items\":[\"a\"]}", "{\"items\":[null]}", "}", "{}}", "{}{}", "{} x"}) {
    CAPTURE(json);
    CHECK_FALSE(take(json, 2).error.empty());
  }
}

TEST_CASE("lines are whole whatever the pieces they come in") {
  const std::string text = "{\"a\":1}\n\n \r\n{\"b\":\"x\"}\r\n{\"c\":3}";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    CAPTURE(size);
    LineSplitter splitter;
    Texts lines;
    for (std::size_t at = 0; at < text.size(); at += size) {
      REQUIRE(splitter.feed(std::string_view(text).substr(at, size), [&](std::string_view line) {
        lines.emplace_back(line);
        return true;
      }));
    }
    CHECK(lines == Texts{"{\"a\":1}", "{\"b\":\"x\"}\r"});
    CHECK(splitter.pending() == 7);
  }
}

TEST_CASE("a consumer that has enough of the lines gets no more") {
  LineSplitter splitter;
  int lines = 0;
  REQUIRE(splitter.feed("a\nb\nc\n", [&](std::string_view) { return ++lines < 2; }));
  CHECK(lines == 2);
}

TEST_CASE("a line or an item without end is an error before it fills the memory") {
  const std::string piece(4u << 20, 'x');
  LineSplitter lines;
  ListSplitter list;
  REQUIRE(list.feed("{\"items\":[{\"a\":\"", [](std::string_view) {}));
  bool lines_failed = false;
  bool list_failed = false;
  for (int i = 0; i < 10 && !(lines_failed && list_failed); ++i) {
    lines_failed = lines_failed || !lines.feed(piece, [](std::string_view) { return true; });
    list_failed = list_failed || !list.feed(piece, [](std::string_view) {});
  }
  CHECK(lines_failed);
  CHECK(list_failed);
  ListSplitter no_items;
  REQUIRE(no_items.feed("{\"metadata\":\"", [](std::string_view) {}));
  CHECK_FALSE(
      (no_items.feed(piece, [](std::string_view) {}) && no_items.feed(piece, [](std::string_view) {})));
}

TEST_CASE("items are cut at the same places however long their parts are and wherever the pieces end") {
  // Brackets and quotes within texts, escapes and nesting at every place of a block of 64 bytes.
  std::vector<std::string> items;
  for (std::size_t length = 0; length < 140; ++length) {
    items.push_back("{\"a\":\"" + std::string(length, 'x') + "}]\\\"{[\",\"b\":[{\"c\":{}}," +
                    std::string(length, ' ') + "[[1]]],\"d\":\"" + std::string(length % 7, '\\') +
                    (length % 7 % 2 == 1 ? "\\" : "") + "\"}");
    items.push_back("{}");
  }
  std::string text = R"({"kind":"NodeList","items":[)";
  for (const auto& item : items) text += (item == items[0] ? "" : ",") + item;
  text += "],\"metadata\":{\"resourceVersion\":\"1\"}}";
  for (const std::size_t piece :
       {text.size(), std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{1000}}) {
    ListSplitter splitter;
    std::vector<std::string> found;
    for (std::size_t at = 0; at < text.size(); at += piece)
      REQUIRE(splitter.feed(std::string_view(text).substr(at, piece),
                            [&](std::string_view item) { found.emplace_back(item); }));
    CHECK(found == items);
    CHECK(splitter.finish().value() ==
          R"({"kind":"NodeList","items":[],"metadata":{"resourceVersion":"1"}})");
  }
}

}  // namespace
}  // namespace muster::kube
