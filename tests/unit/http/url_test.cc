#include "http/url.h"

#include <catch2/catch.hpp>

namespace muster::http {
namespace {

TEST_CASE("url: scheme, host, port and prefix are taken apart") {
  auto plain = parse_base_url("http://localhost:8080").value();
  CHECK(!plain.tls);
  CHECK(plain.host == "localhost");
  CHECK(plain.port == 8080);
  CHECK(plain.path.empty());
  auto tls = parse_base_url("https://api.example/clusters/a/").value();
  CHECK(tls.tls);
  CHECK(tls.port == 443);
  CHECK(tls.path == "/clusters/a");
  auto six = parse_base_url("https://[fd00::1]:6443/").value();
  CHECK(six.host == "fd00::1");
  CHECK(six.port == 6443);
  CHECK(parse_base_url("http://[::1]").value().port == 80);
}

TEST_CASE("url: what cannot be used is refused and named") {
  for (const char* url :
       {"", "localhost:80", "ftp://x", "http://", "http://:80", "http://h:", "http://h:0", "http://h:65536",
        "http://h:8x", "http://[::1", "http://[]:1", "http://a b", "https://u@h", "http://h\r\nX: y"}) {
    INFO(url);
    auto parsed = parse_base_url(url);
    REQUIRE(!parsed);
    CHECK(parsed.error().code == ErrorCode::kInvalid);
    CHECK(parsed.error().message.find("server URL \"") == 0);
  }
}

}  // namespace
}  // namespace muster::http
