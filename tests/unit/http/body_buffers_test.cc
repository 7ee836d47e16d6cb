#include "http/body_buffers.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace muster::http {
namespace {

constexpr std::size_t kMega = 1u << 20;

TEST_CASE("body buffers: a large buffer is found again, by a call that is a little larger too") {
  BodyBuffers buffers;
  BodyBuffer first = buffers.take(4 * kMega);
  CHECK(first.capacity >= 4 * kMega);
  CHECK(first.text().empty());
  const char* memory = first.bytes.get();
  first.append("abc");
  buffers.give_back(std::move(first));
  BodyBuffer again = buffers.take(4 * kMega + 1000);
  CHECK(again.bytes.get() == memory);
  CHECK(again.text().empty());
}

TEST_CASE("body buffers: of many large buffers two are kept, the largest; small ones never") {
  BodyBuffers buffers;
  std::vector<BodyBuffer> taken;
  for (std::size_t size : {3u, 8u, 4u, 6u}) taken.push_back(buffers.take(size * kMega));
  const char* eight = taken[1].bytes.get();
  const char* six = taken[3].bytes.get();
  for (BodyBuffer& buffer : taken) buffers.give_back(std::move(buffer));
  BodyBuffer a = buffers.take(5 * kMega);
  BodyBuffer b = buffers.take(5 * kMega);
  BodyBuffer c = buffers.take(5 * kMega);
  CHECK(
      ((a.bytes.get() == eight && b.bytes.get() == six) || (a.bytes.get() == six && b.bytes.get() == eight)));
  CHECK(c.bytes.get() != a.bytes.get());
  CHECK(c.capacity >= 5 * kMega);
}

TEST_CASE("body buffers: text grows piece by piece and keeps what was there") {
  BodyBuffers buffers;
  BodyBuffer buffer;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    std::string piece = std::to_string(i) + std::string(static_cast<std::size_t>(i), 'p');
    buffer.append(piece);
    expected += piece;
  }
  CHECK(buffer.text() == expected);
  buffer.append("");
  CHECK(buffer.text() == expected);
}

}  // namespace
}  // namespace muster::http
