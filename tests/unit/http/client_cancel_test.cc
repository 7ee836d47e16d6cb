// Calls that are cancelled before there is a connection: the peer does not answer, and nothing waits for it.
#include <fmt/format.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <future>

#include "http/client.h"
#include "sockets.h"

namespace muster::http {
namespace {

using namespace std::chrono_literals;
using namespace test;
using std::chrono::steady_clock;

// Longer than any test waits: what ends before it was ended by cancel().
constexpr auto kConnectTimeout = 20s;
constexpr auto kSoon = 3s;

std::unique_ptr<Client> client_for(const std::string& scheme, uint16_t port) {
  ClientOptions options;
  options.base_url = fmt::format("{}://127.0.0.1:{}", scheme, port);
  options.insecure_skip_verify = true;
  options.connect_timeout = kConnectTimeout;
  options.read_timeout = kConnectTimeout;
  return Client::create(options).value();
}

// Listens and never accepts: connections come about in the kernel, and nobody speaks on them.
struct Mute : Bound {
  Mute() { REQUIRE(::listen(fd.get(), 16) == 0); }
};

// Both the call and who cancels it come back soon.
void check_cancel(Client& client) {
  auto call =
      std::async(std::launch::async, [&] { return client.call("POST", "/x", {}, "b", "text/plain"); });
  REQUIRE(call.wait_for(300ms) == std::future_status::timeout);
  const auto began = steady_clock::now();
  client.cancel();
  CHECK(steady_clock::now() - began < kSoon);
  const auto reply = call.get();
  CHECK(steady_clock::now() - began < kSoon);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == ErrorCode::kCancelled);
}

TEST_CASE("http client: a call that is connecting is cancelled soon") {
  const Swallower server;
  check_cancel(*client_for("http", server.port()));
}

TEST_CASE("http client: a call within the TLS handshake is cancelled soon") {
  const Mute server;
  check_cancel(*client_for("https", server.port));
}

TEST_CASE("http client: a call that waits for its reply is cancelled soon") {
  const Mute server;
  check_cancel(*client_for("http", server.port));
}

}  // namespace
}  // namespace muster::http
