// cpp-httplib stands behind this file: it reads bodies and writes responses. Connections, heads, limits, TLS
// and threads are ours (front.h), because the library keeps a
// thread per idle connection, has no limit on heads and chunked bodies, and stops only when its peers do.
#include "http/server.h"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "http/body_buffers.h"
#include "http/front.h"

namespace muster::http {
namespace {

using std::chrono::steady_clock;

struct Route {
  Handler handler;
  bool blocking = false;
};
using Methods = std::map<std::string, Route, std::less<>>;

Response error_response(int status, std::string_view message) {
  Response response;
  response.status = status;
  response.body = error_body(message);
  return response;
}

// What cpp-httplib sees of a connection: a head of ours that holds what it needs and nothing it mishandles
// (it runs regular expressions over paths and ranges, decompresses, trusts header names), then the body.
class HttpStream final : public httplib::Stream {
 public:
  HttpStream(Connection& connection, std::string head, std::chrono::milliseconds io_timeout,
             SteadyTime body_deadline, uint64_t raw_limit)
      : connection_(connection),
        head_(std::move(head)),
        io_timeout_(io_timeout),
        body_deadline_(body_deadline),
        raw_left_(raw_limit) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }

  ssize_t read(char* out, size_t size) override {
    if (head_given_ < head_.size()) {
      size_t taken = std::min(size, head_.size() - head_given_);
      std::copy_n(head_.data() + head_given_, taken, out);
      head_given_ += taken;
      return static_cast<ssize_t>(taken);
    }
    // Chunk sizes and their extensions count too: they have no limit of their own in the library.
    size_t allowed = static_cast<size_t>(std::min<uint64_t>(size, raw_left_));
    if (allowed == 0) return -1;
    size_t got = connection_.read(out, allowed, body_deadline_);
    raw_left_ -= got;
    return got > 0 ? static_cast<ssize_t>(got) : -1;
  }

  ssize_t write(const char* data, size_t size) override {
    bool ok = !broken_ && connection_.write({data, size}, io_timeout_);
    broken_ = !ok;
    return ok ? static_cast<ssize_t>(size) : -1;
  }

  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return connection_.fd(); }

  [[nodiscard]] bool broken() const { return broken_; }

 private:
  Connection& connection_;
  std::string head_;
  size_t head_given_ = 0;
  std::chrono::milliseconds io_timeout_;
  SteadyTime body_deadline_;
  uint64_t raw_left_;
  bool broken_ = false;
};

// The call that a thread is serving; the library's handlers have no argument of ours.
struct Call {
  Connection& connection;
  const RequestHead& head;
  const Route& route;
  SteadyTime body_deadline;
  BodyBuffer body;
  std::vector<std::string_view> pieces;  // of the response
  std::string last_piece;
  bool unread = false;  // the rest of the request was not read
};

// Small pieces are put together, large ones sent from where they are.
template <typename Write>
bool write_pieces(const Call& call, Write write) {
  constexpr std::size_t kLarge = 32u << 10;
  std::string small;
  auto flush = [&] { return small.empty() || write(std::exchange(small, {})); };
  auto add = [&](std::string_view piece) {
    if (piece.size() >= kLarge) return flush() && write(piece);
    small += piece;
    return small.size() < kLarge || flush();
  };
  for (std::string_view piece : call.pieces) {
    if (!add(piece)) return false;
  }
  return add(call.last_piece) && flush();
}

std::string reduced_head(const RequestHead& head) {
  std::string out = head.has_body() ? "POST" : head.method == "HEAD" ? "HEAD" : "GET";
  out += " / HTTP/1.1\r\n";
  if (head.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (head.content_length > 0) out += fmt::format("Content-Length: {}\r\n", head.content_length);
  if (head.has_body() && head.expect_continue) out += "Expect: 100-continue\r\n";
  out += "\r\n";
  return out;
}

thread_local Call* current_call = nullptr;

}  // namespace

// The library's server, of which only the handling of one request is used.
struct Server::Impl : httplib::Server {
  explicit Impl(ServerOptions server_options) : options(std::move(server_options)) {
    set_keep_alive_timeout(options.keep_alive.count());
    set_keep_alive_max_count(1'000'000'000);
    Get("/", [this](const httplib::Request&, httplib::Response& out) { answer(out); });
    Post("/", [this](const httplib::Request&, httplib::Response& out, const httplib::ContentReader& reader) {
      read_and_answer(out, reader);
    });
  }
  ~Impl() override {
    // Not reset(): that takes the pointer away first, and handlers that still run look at it (stopping()).
    std::default_delete<Front>()(front.get());
    static_cast<void>(front.release());
    svr_sock_ = INVALID_SOCKET;
  }

  void add_route(std::string method, std::string path, Route route);
  Result<uint16_t> start();
  const Methods* find_path(const std::string& path) const;
  After dispatch(Connection& connection, const RequestHead& head);
  After refuse(Connection& connection, const RequestHead& head, int status, std::string_view message,
               std::string_view allowed_methods = {});
  After run_route(Connection& connection, const RequestHead& head, const Route& route);
  void read_and_answer(httplib::Response& out, const httplib::ContentReader& reader);
  void answer(httplib::Response& out);
  Response call_handler();

  ServerOptions options;
  std::map<std::string, Methods, std::less<>> exact;
  std::map<std::string, Methods, std::greater<>> below;  // "/api/*" as "/api/"; a longer prefix comes first
  std::atomic<std::size_t> blocking_calls = 0;
  BodyBuffers bodies;
  std::unique_ptr<Front> front;
};

void Server::Impl::add_route(std::string method, std::string path, Route route) {
  MUSTER_CHECK(front == nullptr);
  bool prefix = path.ends_with("/*");
  if (prefix) path.pop_back();
  Methods& methods = prefix ? below[path] : exact[path];
  methods.insert_or_assign(std::move(method), std::move(route));
}

Result<uint16_t> Server::Impl::start() {
  MUSTER_CHECK(front == nullptr);
  front = std::make_unique<Front>(options, [this](Connection& connection, const RequestHead& head) {
    return dispatch(connection, head);
  });
  auto port = front->start();
  // The library takes a server without a socket for one that shuts down, and then streams nothing.
  if (port) svr_sock_ = front->listen_fd();
  return port;
}

const Methods* Server::Impl::find_path(const std::string& path) const {
  if (auto at = exact.find(path); at != exact.end()) return &at->second;
  for (const auto& [prefix, methods] : below) {
    if (path.starts_with(prefix)) return &methods;
  }
  return nullptr;
}

After Server::Impl::dispatch(Connection& connection, const RequestHead& head) {
  const Methods* methods = find_path(head.path);
  if (methods == nullptr)
    return refuse(connection, head, 404, fmt::format("no such path: {}", muster::quoted(head.path)));

  auto route = methods->find(head.method);
  if (route == methods->end() && head.method == "HEAD") route = methods->find("GET");
  if (route == methods->end()) {
    std::string allowed;
    for (const auto& [method, unused] : *methods) allowed += (allowed.empty() ? "" : ", ") + method;
    std::string why =
        fmt::format("{} is not a method of {}, only {}", muster::quoted(head.method), head.path, allowed);
    return refuse(connection, head, 405, why, allowed);
  }
  if (head.content_length > options.max_body_bytes) {
    return refuse(
        connection, head, 413,
        fmt::format("body of {} bytes is longer than {}", head.content_length, options.max_body_bytes));
  }
  return run_route(connection, head, route->second);
}

// Answers without reading the body; a connection on which one is still to come is given up.
After Server::Impl::refuse(Connection& connection, const RequestHead& head, int status,
                           std::string_view message, std::string_view allowed_methods) {
  bool close = head.has_body() || !head.keep_alive;
  bool sent = send_error(connection, options, head.method == "HEAD", close, status, message, allowed_methods);
  if (head.has_body()) return After::kAbort;
  return sent && !close ? After::kKeep : After::kClose;
}

After Server::Impl::run_route(Connection& connection, const RequestHead& head, const Route& route) {
  // A chunk of one byte takes six on the wire; whoever sends only such chunks has to do with a third.
  uint64_t raw_limit = 2 * static_cast<uint64_t>(options.max_body_bytes) + (64u << 10);
  auto body_deadline = steady_clock::now() + 3 * options.io_timeout;
  Call call{connection, head, route, body_deadline, {}, {}, {}};
  HttpStream stream(connection, reduced_head(head), options.io_timeout, body_deadline, raw_limit);
  bool close = !head.keep_alive;
  bool closed = false;
  current_call = &call;
  bool ok = process_request(stream, close, closed, nullptr);
  current_call = nullptr;
  bodies.give_back(std::move(call.body));
  if (call.unread) return After::kAbort;
  return ok && !close && !stream.broken() ? After::kKeep : After::kClose;
}

void Server::Impl::read_and_answer(httplib::Response& out, const httplib::ContentReader& reader) {
  Call& call = *current_call;
  bool too_long = false;
  bool whole = false;
  if (call.head.chunked) {
    whole = reader([&](const char* data, size_t size) {
      too_long = call.body.size + size > options.max_body_bytes;
      if (!too_long) call.body.append({data, size});
      return !too_long;
    });
  } else {
    // The library would take it in pieces of 4 KB. Its length has been checked against the limit.
    call.body = bodies.take(call.head.content_length);
    call.body.size = call.head.content_length;
    whole = call.connection.read_all(call.body.bytes.get(), call.body.size, call.body_deadline);
  }
  if (whole) {
    answer(out);
    return;
  }
  call.unread = true;
  Response refusal =
      too_long ? error_response(413, fmt::format("body longer than {} bytes", options.max_body_bytes))
               : error_response(400, "the body is broken or did not arrive in time");
  out.status = refusal.status;
  out.set_content(refusal.body, refusal.content_type);
  out.set_header("Connection", "close");
}

void Server::Impl::answer(httplib::Response& out) {
  Call& call = *current_call;
  call.connection.trim();
  Response response = call_handler();
  out.status = response.status;
  if (!response.pieces.empty()) {
    call.pieces = std::move(response.pieces);
    call.last_piece = std::move(response.body);
    std::size_t size = call.last_piece.size();
    for (std::string_view piece : call.pieces) size += piece.size();
    auto write = [&call](size_t, size_t, httplib::DataSink& sink) {
      return write_pieces(call,
                          [&](std::string_view piece) { return sink.write(piece.data(), piece.size()); });
    };
    out.set_content_provider(size, response.content_type, write);
    return;
  }
  if (!response.stream) {
    out.body = std::move(response.body);
    out.set_header("Content-Type", response.content_type);
    return;
  }
  auto write_all = [write = std::move(response.stream), &call](size_t, httplib::DataSink& sink) {
    write([&](std::string_view piece) {
      if (piece.empty()) return call.connection.peer_present();
      return sink.write(piece.data(), piece.size());
    });
    sink.done();
    return true;
  };
  out.set_chunked_content_provider(response.content_type, write_all);
}

Response Server::Impl::call_handler() {
  Call& call = *current_call;
  const RequestHead& head = call.head;
  bool blocking = call.route.blocking;
  std::size_t slots = options.max_workers - std::min(options.reserved_workers, options.max_workers);
  if (blocking && blocking_calls.fetch_add(1) >= slots) {
    blocking_calls.fetch_sub(1);
    return error_response(503, fmt::format("{} calls of this kind are open, no more are taken", slots));
  }
  Request request;
  request.method = head.method;
  request.path = head.path;
  request.body = call.body.text();
  request.caller = call.connection.caller();
  request.query = [&head](std::string_view name) { return head.query_value(name); };
  request.header = [&head](std::string_view name) { return std::string(head.header(name)); };
  Response response;
  try {
    response = call.route.handler(request);
  } catch (const std::exception& error) {
    log_error("http: {} {}: {}", head.method, head.path, error.what());
    response = error_response(500, "internal error");
  } catch (...) {
    log_error("http: {} {}: unknown exception", head.method, head.path);
    response = error_response(500, "internal error");
  }
  if (blocking) blocking_calls.fetch_sub(1);
  return response;
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() = default;

void Server::route(std::string method, std::string path, Handler handler) {
  impl_->add_route(std::move(method), std::move(path), {std::move(handler), false});
}

void Server::route_blocking(std::string method, std::string path, Handler handler) {
  impl_->add_route(std::move(method), std::move(path), {std::move(handler), true});
}

Result<uint16_t> Server::start() { return impl_->start(); }

void Server::stop(std::chrono::milliseconds drain) {
  if (impl_->front) impl_->front->stop(drain);
}

bool Server::stopping() const { return impl_->front && impl_->front->stopping(); }

}  // namespace muster::http
