#include "http/request_head.h"

#include <catch2/catch.hpp>

namespace muster::http {
namespace {

RequestHead good(const std::string& text) {
  auto parsed = parse_head(text);
  if (auto* refusal = std::get_if<HeadRefusal>(&parsed)) FAIL(refusal->status << " " << refusal->message);
  return std::get<RequestHead>(parsed);
}

HeadRefusal bad(const std::string& text) {
  auto parsed = parse_head(text);
  REQUIRE(std::holds_alternative<HeadRefusal>(parsed));
  return std::get<HeadRefusal>(parsed);
}

std::string post(const std::string& headers) { return "POST /x HTTP/1.1\r\n" + headers + "\r\n"; }

TEST_CASE("request head: line, headers and framing are read") {
  RequestHead head = good(
      "POST /a%2Fb/c%20d?x=1&y=a%20b+c&x=2&z HTTP/1.1\r\nHost: h\r\nX-One:  v 1\t\r\nx-one: second\r\n"
      "content-length: 12\r\nEmpty:\r\n\r\n");
  CHECK(head.method == "POST");
  CHECK(head.path == "/a/b/c d");
  CHECK(head.query_value("x") == "1");
  CHECK(head.query_value("y") == "a b c");
  CHECK(head.query_value("z").empty());
  CHECK(head.query_value("none").empty());
  CHECK(head.header("X-ONE") == "v 1");
  CHECK(head.header("empty").empty());
  CHECK(head.content_length == 12);
  CHECK(head.has_body());
  CHECK(head.keep_alive);
}

TEST_CASE("request head: broken escapes stay as they are") {
  CHECK(percent_decode("%4", false) == "%4");
  CHECK(percent_decode("%", false) == "%");
  CHECK(percent_decode("%zz%41+", false) == "%zzA+");
  CHECK(percent_decode("%c3%A4+", true) == "\xc3\xa4 ");
}

TEST_CASE("request head: connections end or last as the peer says") {
  CHECK(!good("GET / HTTP/1.0\r\n\r\n").keep_alive);
  CHECK(good("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  CHECK(!good("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").keep_alive);
}

TEST_CASE("request head: absolute targets are cut to their path, empty lines before are skipped") {
  CHECK(good("GET http://host:1/p?q HTTP/1.1\r\n\r\n").path == "/p");
  CHECK(good("GET https://host HTTP/1.1\r\n\r\n").path == "/");
  CHECK(good("\r\n\r\nGET /p HTTP/1.1\r\n\r\n").path == "/p");
}

TEST_CASE("request head: the end is found only when it is there") {
  CHECK(find_head_end("GET / HTTP/1.1\r\nA: b\r\n\r\nrest") == 24);
  CHECK(find_head_end("\r\nGET / HTTP/1.1\r\n\r\nrest") == 20);
  CHECK(find_head_end("GET / HTTP/1.1\r\nA: b\r\n") == 0);
  CHECK(find_head_end("\r\n\r\n") == 0);
  CHECK(find_head_end("") == 0);
}

TEST_CASE("request head: first bytes that begin no request are known at once") {
  for (const char* text : {"", "G", "GET", "GET /", "\r", "\r\n", "\r\nPO"}) CHECK(can_begin_request(text));
  CHECK(!can_begin_request("\x16\x03\x01\x02"));
  CHECK(!can_begin_request(" GET / "));
  CHECK(!can_begin_request("{\"Pod\":1}"));
  CHECK(!can_begin_request(std::string(40, 'A')));
}

TEST_CASE("request head: malformed heads are refused with status and reason") {
  CHECK(bad("\r\n\r\n").status == 400);
  CHECK(bad("GET\r\n\r\n").message == "request line \"GET\" is not METHOD TARGET HTTP/1.1");
  CHECK(bad("GET / HTTP/2.0\r\n\r\n").status == 505);
  CHECK(bad("GET / FTP/1.1\r\n\r\n").status == 400);
  CHECK(bad("GET relative HTTP/1.1\r\n\r\n").message == "target \"relative\" is not an absolute path");
  CHECK(bad("GET /a b HTTP/1.1\r\n\r\n").status == 400);
  CHECK(bad("G{T / HTTP/1.1\r\n\r\n").status == 400);
  CHECK(bad("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n").status == 414);
  CHECK(bad(post("no colon\r\n")).message == "header line \"no colon\" is not NAME: VALUE");
  CHECK(bad(post("Name : x\r\n")).status == 400);
  CHECK(bad(post(" folded: x\r\n")).status == 400);
  CHECK(bad(post(std::string("A: x\0y\r\n", 8))).status == 400);
  CHECK(bad(post("A: x\ny\r\n")).message == "header \"A\" holds a control character");
  std::string many;
  for (int i = 0; i < 101; ++i) many += "H: v\r\n";
  CHECK(bad(post(many)).status == 431);
}

TEST_CASE("request head: ambiguous or unknown framing is refused") {
  CHECK(bad(post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")).status == 400);
  CHECK(bad(post("Content-Length: 1\r\nContent-Length: 2\r\n")).status == 400);
  CHECK(good(post("Content-Length: 1\r\nContent-Length: 1\r\n")).content_length == 1);
  for (const char* length : {"x", "-1", "+1", "1 2", "0x10", "99999999999999999999", ""}) {
    INFO(length);
    CHECK(bad(post("Content-Length: " + std::string(length) + "\r\n")).status == 400);
  }
  CHECK(bad(post("Transfer-Encoding: gzip, chunked\r\n")).status == 501);
  CHECK(bad(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")).status == 501);
  CHECK(good(post("Transfer-Encoding: Chunked\r\n")).chunked);
  CHECK(bad(post("Content-Encoding: gzip\r\nContent-Length: 1\r\n")).status == 415);
  CHECK(good(post("Content-Encoding: identity\r\n")).content_length == 0);
  CHECK(bad(post("Expect: miracles\r\n")).status == 417);
  CHECK(bad("GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n").status == 400);
  CHECK(good("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").content_length == 0);
}

}  // namespace
}  // namespace muster::http
