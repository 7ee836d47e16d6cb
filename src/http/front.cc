#include "http/front.h"

#include <utility>

#include "base/json_text.h"

namespace muster::http {
namespace {

using std::chrono::steady_clock;

// How long a worker stays with a connection after a reply: the next call of a busy peer then costs no change
// of thread.
constexpr std::chrono::milliseconds kStay{20};
constexpr std::chrono::milliseconds kLinger{2000};

std::string_view reason_phrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

}  // namespace

std::string error_body(std::string_view message) {
  std::string body = "{\"error\":";
  append_json_string(body, message);
  body += '}';
  return body;
}

bool send_error(Connection& connection, const ServerOptions& options, bool head_only, bool close, int status,
                std::string_view message, std::string_view allowed_methods) {
  std::string body = error_body(message);
  std::string text = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: application/json; charset=utf-8\r\n",
                                 status, reason_phrase(status));
  text += fmt::format("Content-Length: {}\r\n", body.size());
  if (!allowed_methods.empty()) text += fmt::format("Allow: {}\r\n", allowed_methods);
  if (close) text += "Connection: close\r\n";
  text += "\r\n";
  if (!head_only) text += body;
  return connection.write(text, options.io_timeout);
}

Front::Front(const ServerOptions& options, Serve serve)
    : options_(options), serve_(std::move(serve)), workers_({.max_threads = options.max_workers}) {}

Front::~Front() { stop(std::chrono::milliseconds(0)); }

Result<uint16_t> Front::start() {
  ignore_sigpipe();
  if (!options_.tls.cert_file.empty()) {
    auto context = ServerTlsSource::open(options_.tls);
    if (!context) return tl::unexpected(context.error());
    tls_ = *std::move(context);
  }
  Listener::Options where;
  where.address = options_.address;
  where.port = options_.port;
  where.max_connections = 2 * options_.max_workers;
  where.first_byte_timeout = tls_ ? options_.io_timeout : options_.keep_alive;
  where.tls = tls_.get();
  auto listener = Listener::open(std::move(where), [this](ConnectionPtr connection) {
    workers_.run([this, connection = std::move(connection)] { serve_connection(connection); });
  });
  if (!listener) return tl::unexpected(listener.error());
  listener_ = *std::move(listener);
  listener_->start();
  return listener_->port();
}

void Front::stop(std::chrono::milliseconds drain) {
  stopping_ = true;
  if (!listener_) return;
  listener_->stop();
  if (!workers_.wait_idle(steady_clock::now() + drain)) listener_->cut_all();
}

// Serves what the connection has to say, then leaves it with the listener or lets it end.
void Front::serve_connection(const ConnectionPtr& connection) {
  std::string_view head;
  while (!stopping_ && next_head(connection, head)) {
    After after = serve_request(*connection, head);
    if (after == After::kAbort) abort(*connection);
    if (after != After::kKeep) return;
    connection->trim();
    if (connection->buffered().empty() && !workers_.saturated()) {
      (void)connection->wait_readable(kStay, listener_->wake_fd());
    }
  }
}

// Who trickles is with a worker whenever the listener looks for the overdue, so it is looked at here as well:
// what is overdue ends with its last pointer. Another thread may have the connection as soon as it is parked.
void Front::park(const ConnectionPtr& connection, Io want, SteadyTime until) {
  if (until > steady_clock::now()) listener_->park(connection, want, until);
}

// False: parked, or failed and left to its end.
bool Front::finish_handshake(const ConnectionPtr& connection) {
  if (connection->handshaken) return true;
  SteadyTime now = steady_clock::now();
  if (connection->request_started == SteadyTime{}) connection->request_started = now;
  Io state = connection->handshake();
  if (state == Io::kDone) connection->request_started = {};
  if (state == Io::kWantRead || state == Io::kWantWrite) {
    park(connection, state, connection->request_started + options_.io_timeout);
  }
  return state == Io::kDone;
}

// True: a whole head is buffered. False: the connection is parked, or ends with its last pointer.
bool Front::next_head(const ConnectionPtr& connection, std::string_view& head) {
  if (!finish_handshake(connection)) return false;
  Connection& c = *connection;
  while (true) {
    std::size_t size = find_head_end(c.buffered().substr(0, kMaxHeadBytes + 4));
    if (size > 0) {
      head = c.buffered().substr(0, size);
      c.request_started = {};
      return true;
    }
    bool too_long = c.buffered().size() > kMaxHeadBytes;
    if (too_long || !can_begin_request(c.buffered())) {
      std::string why =
          too_long ? fmt::format("head longer than {} bytes", kMaxHeadBytes) : "this is not HTTP";
      send_error(c, options_, false, true, too_long ? 431 : 400, why);
      abort(c);
      return false;
    }
    Io state = c.fill();
    if (state == Io::kClosed) return false;
    if (state == Io::kDone) continue;

    SteadyTime now = steady_clock::now();
    bool idle = c.buffered().empty() && !c.within_record();
    if (!idle && c.request_started == SteadyTime{}) c.request_started = now;
    c.trim();
    park(connection, state, idle ? now + options_.keep_alive : c.request_started + options_.io_timeout);
    return false;
  }
}

After Front::serve_request(Connection& connection, std::string_view head_text) {
  auto parsed = parse_head(head_text);
  bool head_only = head_text.starts_with("HEAD ");
  connection.consume(head_text.size());
  if (const auto* bad = std::get_if<HeadRefusal>(&parsed)) {
    send_error(connection, options_, head_only, true, bad->status, bad->message);
    return After::kAbort;
  }
  return serve_(connection, std::get<RequestHead>(parsed));
}

void Front::abort(Connection& connection) {
  auto patience = stopping_ ? std::chrono::milliseconds(100) : kLinger;
  connection.linger(steady_clock::now() + patience);
}

}  // namespace muster::http
