#include "http/client.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "http/fd.h"
#include "http/server.h"
#include "sockets.h"

namespace muster::http {
namespace {

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::Contains;
using std::chrono::steady_clock;

// Accepts one connection, reads a little, sends the given bytes and closes.
class CannedServer {
 public:
  explicit CannedServer(std::string reply) {
    REQUIRE(::listen(bound_.fd.get(), 1) == 0);
    thread_ = std::thread([this, reply = std::move(reply)] {
      Fd peer(::accept(bound_.fd.get(), nullptr, nullptr));
      char request[4096];
      ssize_t got = ::recv(peer.get(), request, sizeof request, 0);
      request_.assign(request, got > 0 ? static_cast<std::size_t>(got) : 0);
      ::send(peer.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
    });
  }
  ~CannedServer() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::unique_ptr<Client> client() const {
    ClientOptions options;
    options.base_url = fmt::format("http://127.0.0.1:{}/prefix/", bound_.port);
    options.read_timeout = 2s;
    return Client::create(options).value();
  }
  std::string request_;

 private:
  Bound bound_;
  std::thread thread_;
};

TEST_CASE("http client: the request carries prefix, host, headers and body as given") {
  CannedServer server("HTTP/1.1 410 Gone\r\nX-Thing: Value\r\nContent-Length: 4\r\n\r\ngone");
  auto reply = server.client()->call("PATCH", "/api/v1/pods?watch=1&x=%2F", {{"Authorization", "Bearer t"}},
                                     "{}", "application/merge-patch+json");
  server.join();
  REQUIRE(reply);
  CHECK(reply->status == 410);
  CHECK(reply->body == "gone");
  CHECK(reply->headers.at("x-thing") == "Value");
  CHECK_THAT(server.request_, Contains("PATCH /prefix/api/v1/pods?watch=1&x=%2F HTTP/1.1\r\n"));
  CHECK_THAT(server.request_, Contains("Host: 127.0.0.1:"));
  CHECK_THAT(server.request_, Contains("Authorization: Bearer t\r\n"));
  CHECK_THAT(server.request_, Contains("Content-Type: application/merge-patch+json\r\n"));
  CHECK_THAT(server.request_, Contains("Content-Length: 2\r\n"));
  CHECK(server.request_.find("Accept-Encoding") == std::string::npos);
}

TEST_CASE("http client: a reply that is cut, empty or no HTTP is kUnavailable") {
  for (const char* text :
       {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    INFO(text);
    CannedServer server(text);
    auto reply = server.client()->call("GET", "/", {}, "", "");
    REQUIRE(!reply);
    CHECK(reply.error().code == ErrorCode::kUnavailable);
  }
}

TEST_CASE("http client: a refused connection is kUnavailable and says where") {
  ClientOptions options;
  options.base_url = "http://127.0.0.1:1";
  auto reply = Client::create(options).value()->call("GET", "/x", {}, "", "");
  REQUIRE(!reply);
  CHECK(reply.error().code == ErrorCode::kUnavailable);
  CHECK_THAT(reply.error().message, Contains("GET 127.0.0.1:1/x"));
}

TEST_CASE("http client: the read timeout holds when nothing comes") {
  ServerOptions server_options;
  std::promise<void> seen;
  Server server(server_options);
  server.route("GET", "/slow", [waits = seen.get_future().share()](const Request&) {
    waits.wait_for(60s);
    return Response();
  });
  ClientOptions options;
  options.base_url = "http://127.0.0.1:" + std::to_string(server.start().value());
  options.read_timeout = 100ms;
  auto begin = steady_clock::now();
  auto reply = Client::create(options).value()->call("GET", "/slow", {}, "", "");
  REQUIRE(!reply);
  CHECK(reply.error().code == ErrorCode::kUnavailable);
  CHECK(steady_clock::now() - begin < 1900ms);
  seen.set_value();
}

TEST_CASE("http client: a connection that the server closed while idle is opened again") {
  ServerOptions server_options;
  server_options.keep_alive = 1s;
  Server server(server_options);
  server.route("POST", "/x", [](const Request&) { return Response(); });
  ClientOptions options;
  options.base_url = "http://127.0.0.1:" + std::to_string(server.start().value());
  auto client = Client::create(options).value();
  CHECK(client->call("POST", "/x", {}, "b", "text/plain").value().status == 200);
  std::this_thread::sleep_for(3s);
  CHECK(client->call("POST", "/x", {}, "b", "text/plain").value().status == 200);
}

TEST_CASE("http client: a stream ends where a callback says so") {
  Server server(ServerOptions{});
  server.route("GET", "/watch", [](const Request&) {
    Response response;
    response.status = 410;
    response.stream = [](const Sink& sink) {
      while (sink("event\n")) {
      }
    };
    return response;
  });
  ClientOptions options;
  options.base_url = "http://127.0.0.1:" + std::to_string(server.start().value());
  auto client = Client::create(options).value();
  int status = 0;
  auto refused = client->stream(
      "/watch", {},
      [&](int s) {
        status = s;
        return false;
      },
      [](std::string_view) { return true; });
  CHECK(status == 410);
  CHECK(refused.error().code == ErrorCode::kCancelled);
  std::size_t bytes = 0;
  auto ended = client->stream(
      "/watch", {}, [](int) { return true; },
      [&](std::string_view piece) {
        bytes += piece.size();
        return bytes < 1'000'000;
      });
  CHECK(ended.error().code == ErrorCode::kCancelled);
  CHECK(bytes >= 1'000'000);
}

TEST_CASE("http client: requests that would be taken for two are refused") {
  ClientOptions options;
  options.base_url = "http://127.0.0.1:1";
  auto client = Client::create(options).value();
  CHECK(client->call("GET", "/a b", {}, "", "").error().code == ErrorCode::kInvalid);
  CHECK(client->call("GET", "/a\r\nX: y", {}, "", "").error().code == ErrorCode::kInvalid);
  CHECK(client->call("GET", "a", {}, "", "").error().code == ErrorCode::kInvalid);
  auto header = client->call("GET", "/a", {{"X", "y\r\nZ: w"}}, "", "");
  CHECK_THAT(header.error().message, Contains("request header \"X\" holds a line break"));
}

}  // namespace
}  // namespace muster::http
