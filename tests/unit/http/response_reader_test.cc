#include "http/response_reader.h"

#include <catch2/catch.hpp>
#include <vector>

namespace muster::http {
namespace {

using Progress = ResponseReader::Progress;

struct Read {
  ResponseReader reader;
  std::string body;
  std::vector<int> statuses;
  std::string error;
  Progress progress = Progress::kMore;

  // In pieces of so many bytes.
  Read& feed(std::string_view text, std::size_t piece) {
    while (!text.empty() && error.empty()) {
      const auto taken = reader.feed(
          text.substr(0, piece),
          [&](int status) {
            statuses.push_back(status);
            return true;
          },
          [&](std::string_view data) {
            body += data;
            return true;
          });
      text.remove_prefix(std::min(piece, text.size()));
      if (taken) progress = *taken;
      if (!taken) error = taken.error().message;
    }
    return *this;
  }
};

TEST_CASE("a response is read the same in pieces of any size") {
  struct Case {
    std::string text;
    std::string body;
    int status;
    bool keeps_alive;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200, true},
      {"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nX: y\r\n\r\n", "", 404, true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: "
       "t\r\n\r\n",
       "abcde", 200, true},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx", "x",
       200, false},
      {"HTTP/1.0 200 OK\nContent-Length: 1\n\nx", "x", 200, false},
      {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, true},
  };
  for (const Case& c : cases) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, c.text.size()}) {
      INFO(c.text << " by " << piece);
      Read read;
      read.feed(c.text, piece);
      CHECK(read.error.empty());
      CHECK(read.progress == Progress::kDone);
      CHECK(read.body == c.body);
      CHECK(read.statuses == std::vector<int>{c.status});
      CHECK(read.reader.keeps_alive() == c.keeps_alive);
    }
  }
}

TEST_CASE("a body without a length ends with the connection, others must not") {
  Read until_end;
  until_end.feed("HTTP/1.1 200 OK\r\n\r\nsome", 3);
  CHECK(until_end.body == "some");
  CHECK(until_end.progress == Progress::kMore);
  CHECK(until_end.reader.complete_at_end());
  CHECK_FALSE(until_end.reader.keeps_alive());
  Read chunked;
  chunked.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 100);
  CHECK_FALSE(chunked.reader.complete_at_end());
}

TEST_CASE("what is no HTTP response is an error that shows it") {
  const std::pair<const char*, const char*> cases[] = {
      {"SSH-2.0-x\r\n", "the reply is no HTTP/1.1 but \"SSH-2.0-x\""},
      {"HTTP/1.1 99 x\r\n", "the reply is no HTTP/1.1 but"},
      {"HTTP/1.1 200 OK\r\nno colon\r\n", "the reply has a header \"no colon\""},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length is \"-1\""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n", "Content-Length is"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding is \"gzip\""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "a chunk's size is \"zz\""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "a chunk's size is"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "a chunk is followed by"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "the reply is followed by \"b\""},
  };
  for (const auto& [text, message] : cases) {
    Read read;
    read.feed(text, 1000);
    INFO(text << " → " << read.error);
    CHECK(read.error.find(message) != std::string::npos);
  }
  Read endless;
  endless.feed("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), 1000);
  CHECK(endless.error.find("head has more than") != std::string::npos);
}

TEST_CASE("what follows a chunk is refused at its first byte, though its line never ends") {
  Read read;
  read.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r", 1);
  CHECK(read.error.empty());
  read.feed("xy", 2);
  CHECK(read.error.find("a chunk is followed by") == 0);
}

TEST_CASE("to HEAD no body belongs, whatever length the reply names") {
  Read read{ResponseReader(true), {}, {}, {}};
  read.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 7);
  CHECK(read.progress == Progress::kDone);
  CHECK(read.statuses == std::vector<int>{200});
}

TEST_CASE("a caller that has enough ends the reading") {
  ResponseReader reader;
  const auto taken = reader.feed(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", [](int) { return false; },
      [](std::string_view) { return true; });
  CHECK(taken.value() == Progress::kStopped);
}

}  // namespace
}  // namespace muster::http
