// Numbers that the client's document gives, and nobody else checks: tests of the protocol bring their own.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "kube/list_watch.h"
#include "support/figures.h"

namespace muster::kube {
namespace {

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

bool document_says(const std::string& words) {
  std::string text = test::document("kube-client.md");
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.find(words) != std::string::npos;
}

TEST_CASE("pauses between attempts to list and watch grow from 0.8 s to 10 s, as documented") {
  const ListWatchOptions options;
  CHECK(document_says(fmt::format("Pauses grow from {} s to {} s", seconds(options.backoff.first),
                                  seconds(options.backoff.cap))));
}

TEST_CASE("a watch that is silent for 150 s is opened again, as documented") {
  const ListWatchOptions options;
  CHECK(document_says(fmt::format("silent for {} s", seconds(options.watch_silence))));
}

TEST_CASE("an initial state that is late is warned of every ten seconds, as documented") {
  CHECK(ListWatchOptions{}.initial_warning == Duration(10'000));
  CHECK(document_says("warned of every ten seconds"));
}

TEST_CASE("the initial state is asked for as a stream, and lists come in pages of 500, as documented") {
  const ListWatchOptions options;
  CHECK(options.watch_list);
  CHECK(document_says("The initial state comes as a stream (`sendInitialEvents`)"));
  CHECK(document_says(fmt::format("in pages of {}", options.page_size)));
}

}  // namespace
}  // namespace muster::kube
