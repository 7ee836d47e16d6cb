#include "http/server.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "http/client.h"
#include "support/raw_socket.h"

namespace muster::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using test::RawSocket;

Response text(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

struct Running {
  explicit Running(ServerOptions options = {}) : server(std::move(options)) {
    server.route("GET", "/hello", [](const Request&) { return text("{\"hello\":1}"); });
    server.route("POST", "/echo", [](const Request& request) { return text(std::string(request.body)); });
    server.route("DELETE", "/echo",
                 [](const Request& request) { return text("deleted " + std::string(request.body)); });
    server.route("PATCH", "/api/*", [](const Request& request) {
      return text(request.path + "|" + request.query("a b") + "|" + request.header("x-KEY") + "|" +
                  std::string(request.body));
    });
    server.route("GET", "/throw", [](const Request&) -> Response { throw std::runtime_error("secret"); });
  }
  uint16_t start() {
    auto started = server.start();
    REQUIRE(started);
    port = *started;
    return port;
  }
  std::unique_ptr<Client> client(std::chrono::milliseconds read_timeout = 30s) {
    ClientOptions options;
    options.base_url = "http://127.0.0.1:" + std::to_string(port);
    options.read_timeout = read_timeout;
    auto made = Client::create(options);
    REQUIRE(made);
    return *std::move(made);
  }

  Server server;
  uint16_t port = 0;
};

TEST_CASE("http server: calls are answered with status, type and body") {
  Running running;
  running.start();
  auto client = running.client();

  auto reply = client->call("GET", "/hello", {}, "", "");
  REQUIRE(reply);
  CHECK(reply->status == 200);
  CHECK(reply->body == "{\"hello\":1}");
  CHECK(reply->headers["content-type"] == "application/json; charset=utf-8");

  auto echo = client->call("POST", "/echo", {}, "some body", "application/json");
  REQUIRE(echo);
  CHECK(echo->body == "some body");

  auto patched =
      client->call("PATCH", "/api/x%20y?z=1&a+b=c%26d&a%20b=no", {{"X-Key", "v"}}, "{}", "application/json");
  REQUIRE(patched);
  CHECK(patched->body == "/api/x y|c&d|v|{}");

  auto with_body = client->call("DELETE", "/echo", {}, "it", "application/json");
  REQUIRE(with_body);
  CHECK(with_body->body == "deleted it");
  auto without_body = client->call("DELETE", "/echo", {}, "", "");
  REQUIRE(without_body);
  CHECK(without_body->body == "deleted ");

  auto empty = client->call("POST", "/echo", {}, "", "");
  REQUIRE(empty);
  CHECK(empty->status == 200);
  CHECK(empty->body.empty());
}

TEST_CASE("http server: the caller without a certificate is its address") {
  Running running;
  running.server.route("GET", "/who",
                       [](const Request& request) { return text(std::string(request.caller)); });
  running.start();
  CHECK(running.client()->call("GET", "/who", {}, "", "").value().body == "127.0.0.1");
}

TEST_CASE("http server: a reply is not compressed even for a caller that takes gzip") {
  Running running;
  running.start();
  RawSocket socket(running.port);
  socket.send("POST /echo HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\nContent-Length: 400\r\n\r\n" +
              std::string(400, 'a'));
  std::string got = socket.receive_until(std::string(400, 'a'));
  CHECK(got.find("Content-Encoding") == std::string::npos);
  CHECK(got.find("Content-Length: 400") != std::string::npos);
}

TEST_CASE("http server: unknown paths and methods are answered in JSON, the connection lives on") {
  Running running;
  running.start();
  auto client = running.client();
  auto missing = client->call("GET", "/nothing/\"here", {}, "", "");
  REQUIRE(missing);
  CHECK(missing->status == 404);
  CHECK(missing->body == R"({"error":"no such path: \"/nothing/\\\"here\""})");

  auto wrong = client->call("PUT", "/echo", {}, "x", "text/plain");
  REQUIRE(wrong);
  CHECK(wrong->status == 405);
  CHECK(wrong->headers["allow"] == "DELETE, POST");
  CHECK(wrong->body == R"({"error":"\"PUT\" is not a method of /echo, only DELETE, POST"})");

  auto head = client->call("HEAD", "/hello", {}, "", "");
  REQUIRE(head);
  CHECK(head->status == 200);
  CHECK(head->body.empty());
  CHECK(client->call("GET", "/hello", {}, "", "")->status == 200);
}

TEST_CASE("http server: an exception in a handler is a 500 without its text") {
  Running running;
  running.start();
  auto reply = running.client()->call("GET", "/throw", {}, "", "");
  REQUIRE(reply);
  CHECK(reply->status == 500);
  CHECK(reply->body == R"({"error":"internal error"})");
  for (const auto& [name, value] : reply->headers) CHECK(value.find("secret") == std::string::npos);
}

TEST_CASE("http server: chunked bodies arrive whole, also one byte at a time") {
  Running running;
  running.start();
  RawSocket socket(running.port);
  socket.send("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (char c : std::string("5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n")) socket.send(std::string(1, c));
  CHECK(socket.receive_until("hello world").find("hello world") != std::string::npos);
  socket.forget();
  socket.send("GET /hello HTTP/1.1\r\n\r\n");
  CHECK(socket.receive_until("hello").find("200 OK") != std::string::npos);
}

TEST_CASE("http server: pieces of the request's body go back in order, small and large, before the rest") {
  Running running;
  running.server.route("POST", "/pieces", [](const Request& request) {
    Response response;
    std::string_view body = request.body;
    response.pieces = {"[", body.substr(0, 3), "|", body.substr(3), "|", body, ""};
    response.body = "]";
    return response;
  });
  running.start();
  auto client = running.client();
  for (std::size_t size : {3u, 100u, 40'000u, 5'000'000u, 100u}) {
    std::string body(size, 'x');
    for (std::size_t i = 0; i < size; i += 7) body[i] = static_cast<char>('a' + i % 26);
    auto reply = client->call("POST", "/pieces", {}, body, "text/plain");
    REQUIRE(reply);
    CHECK(reply->status == 200);
    CHECK(reply->headers["content-length"] == std::to_string(2 * size + 4));
    CHECK(reply->body == "[" + body.substr(0, 3) + "|" + body.substr(3) + "|" + body + "]");
  }
}

TEST_CASE("http server: pipelined requests are all answered") {
  Running running;
  running.start();
  RawSocket socket(running.port);
  socket.send(
      "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\noneGET /hello HTTP/1.1\r\n\r\n"
      "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nthree");
  std::string got = socket.receive_until("three");
  CHECK(got.find("one") < got.find("hello"));
  CHECK(got.find("hello") < got.find("three"));
  CHECK(got.find("three") != std::string::npos);
}

TEST_CASE("http server: Expect 100-continue is answered before the body") {
  Running running;
  running.start();
  RawSocket socket(running.port);
  socket.send("POST /echo HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  CHECK(socket.receive_until("100 Continue\r\n\r\n").find("HTTP/1.1 100") == 0);
  socket.send("body");
  CHECK(socket.receive_until("body").find("200 OK") != std::string::npos);
}

TEST_CASE("http server: a streamed body reaches the caller piece by piece and ends with the handler") {
  Running running;
  std::latch first_seen(1);
  running.server.route("GET", "/watch", [&](const Request&) {
    Response response;
    response.stream = [&](const Sink& sink) {
      sink("one\n");
      first_seen.wait();
      CHECK(sink(""));
      sink("two\n");
    };
    return response;
  });
  running.start();
  std::string got;
  int status = 0;
  auto reply = running.client()->stream(
      "/watch", {},
      [&](int s) {
        status = s;
        return true;
      },
      [&](std::string_view piece) {
        got += piece;
        if (got == "one\n") first_seen.count_down();
        return true;
      });
  REQUIRE(reply);
  CHECK(status == 200);
  CHECK(got == "one\ntwo\n");
}

TEST_CASE("http server: a stream's sink tells that the caller has gone") {
  Running running;
  std::atomic<bool> noticed = false;
  running.server.route("GET", "/watch", [&](const Request&) {
    Response response;
    response.stream = [&](const Sink& sink) {
      sink("one\n");
      auto limit = steady_clock::now() + 5s;
      while (steady_clock::now() < limit && !noticed) {
        noticed = !sink("");
        std::this_thread::sleep_for(2ms);
      }
    };
    return response;
  });
  running.start();
  {
    RawSocket socket(running.port);
    socket.send("GET /watch HTTP/1.1\r\n\r\n");
    socket.receive_until("one");
  }
  running.server.stop(5s);
  CHECK(noticed);
}

TEST_CASE("http server: cancel ends a stream on which nothing comes") {
  Running running;
  running.server.route("GET", "/watch", [&](const Request&) {
    Response response;
    response.stream = [&](const Sink& sink) {
      sink("one\n");
      while (!running.server.stopping() && sink("")) std::this_thread::sleep_for(2ms);
    };
    return response;
  });
  running.start();
  auto client = running.client();
  std::latch started(1);
  std::thread canceller([&] {
    started.wait();
    client->cancel();
  });
  auto begin = steady_clock::now();
  auto reply = client->stream(
      "/watch", {}, [](int) { return true; },
      [&](std::string_view) {
        started.count_down();
        return true;
      });
  canceller.join();
  REQUIRE(!reply);
  CHECK(reply.error().code == ErrorCode::kCancelled);
  CHECK(steady_clock::now() - begin < 10s);  // the read timeout is 30 s
  CHECK(client->call("GET", "/hello", {}, "", "").error().code == ErrorCode::kCancelled);
}

TEST_CASE("http server: stop is prompt with idle connections and lets a running call end") {
  Running running;
  std::latch inside(1);
  running.server.route("GET", "/slow", [&](const Request&) {
    inside.count_down();
    std::this_thread::sleep_for(200ms);
    return text("done");
  });
  running.start();
  std::vector<RawSocket> idle;
  for (int i = 0; i < 50; ++i) idle.emplace_back(running.port);
  for (auto& socket : idle) {
    socket.send("GET /hello HTTP/1.1\r\n\r\n");
    socket.receive_until("hello");
  }
  Result<Reply> reply = Reply{};
  std::thread caller([&] { reply = running.client()->call("GET", "/slow", {}, "", ""); });
  inside.wait();
  auto begin = steady_clock::now();
  running.server.stop(10s);
  auto took = steady_clock::now() - begin;
  caller.join();
  CHECK(took < 5s);
  REQUIRE(reply);
  CHECK(reply->body == "done");
  CHECK(running.server.stopping());
  CHECK(running.client()->call("GET", "/hello", {}, "", "").error().code == ErrorCode::kUnavailable);
}

TEST_CASE("http server: a port in use and a bad address are errors") {
  Running running;
  running.start();
  ServerOptions taken;
  taken.port = running.port;
  auto second = Server(taken).start();
  REQUIRE(!second);
  CHECK(second.error().code == ErrorCode::kUnavailable);
  CHECK(second.error().message.find("Address already in use") != std::string::npos);
  ServerOptions bad;
  bad.address = "not an address";
  CHECK(Server(bad).start().error().code == ErrorCode::kInvalid);
}

TEST_CASE("http server: blocked calls do not stand in the way of quick ones, beyond the cap they get 503") {
  ServerOptions options;
  options.max_workers = 20;
  options.reserved_workers = 4;
  Running running(options);
  std::latch release(1);
  std::atomic<int> waiting = 0;
  running.server.route_blocking("POST", "/bind", [&](const Request&) {
    ++waiting;
    release.wait();
    return text("bound");
  });
  running.start();
  std::vector<std::thread> callers;
  std::atomic<int> bound = 0;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 18; ++i) {
    callers.emplace_back([&] {
      auto reply = running.client()->call("POST", "/bind", {}, "x", "text/plain");
      if (reply && reply->status == 200) ++bound;
      if (reply && reply->status == 503) ++refused;
    });
  }
  while (waiting + refused < 18) std::this_thread::sleep_for(1ms);
  CHECK(waiting == 16);
  auto client = running.client(20s);
  for (int i = 0; i < 20; ++i) CHECK(client->call("GET", "/hello", {}, "", "")->status == 200);
  release.count_down();
  for (auto& caller : callers) caller.join();
  CHECK(bound == 16);
  CHECK(refused == 2);
}

}  // namespace
}  // namespace muster::http
