// Written by hand, on StreamSocket and ResponseReader: cpp-httplib's client reads 4 KiB at a time with two
// system calls each, which is a third of the cost of a large list, cannot be cut while it connects, has no
// limit for a reply as a whole, and knows one address of a host whose TLS name is another.
#include "http/client.h"

#include <atomic>
#include <utility>

#include "base/text.h"
#include "http/response_reader.h"
#include "http/stream_socket.h"
#include "http/tls.h"
#include "http/url.h"

namespace muster::http {
namespace {

using std::chrono::steady_clock;
using OnStatus = std::function<bool(int)>;
using OnData = std::function<bool(std::string_view)>;

constexpr std::size_t kReadBuffer = std::size_t{256} << 10;
constexpr std::size_t kMaxReply = std::size_t{64} << 20;

bool has_line_break(std::string_view text) { return text.find_first_of("\r\n") != std::string_view::npos; }

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// What read_timeout limits.
enum class Patience { kWholeReply, kHeadAndSilence };

class SocketClient final : public Client {
 public:
  SocketClient(std::chrono::milliseconds read_timeout, BaseUrl url, std::unique_ptr<StreamSocket> socket)
      : read_timeout_(read_timeout), url_(std::move(url)), socket_(std::move(socket)) {}

  Result<Reply> call(std::string_view method, std::string_view path_and_query, const Headers& headers,
                     std::string_view body, std::string_view content_type) override;
  Result<Reply> stream(std::string_view path_and_query, const Headers& headers, const OnStatus& on_status,
                       const OnData& on_data) override;
  void cancel() override;

 private:
  [[nodiscard]] Result<std::string> head(std::string_view method, std::string_view path_and_query,
                                         const Headers& headers) const;
  Result<Reply> exchange(std::string_view request, ResponseReader& reader, Patience patience,
                         const OnStatus& on_status, const OnData& on_data);
  Result<ResponseReader::Progress> read_reply(ResponseReader& reader, Patience patience,
                                              const OnStatus& on_status, const OnData& on_data);
  [[nodiscard]] std::string target() const { return fmt::format("{}:{}", bracketed(url_.host), url_.port); }
  [[nodiscard]] tl::unexpected<Error> failed(std::string_view method, std::string_view path_and_query,
                                             const Error& error) const {
    return fail(error.code, "{} {}{}{}: {}", method, target(), url_.path, path_and_query, error.message);
  }

  const std::chrono::milliseconds read_timeout_;
  const BaseUrl url_;
  const std::unique_ptr<StreamSocket> socket_;
  std::string buffer_;  // made with the first reply
  std::atomic<bool> cancelled_ = false;
};

// The request's lines but the last, empty one.
Result<std::string> SocketClient::head(std::string_view method, std::string_view path_and_query,
                                       const Headers& headers) const {
  const bool clean =
      path_and_query.starts_with('/') && path_and_query.find_first_of(" \r\n") == std::string_view::npos;
  if (!clean)
    return invalid("request path {} is not an encoded absolute path", muster::quoted(path_and_query));
  const bool default_port = url_.port == (url_.tls ? 443 : 80);
  std::string text = fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\n", method, url_.path, path_and_query,
                                 default_port ? bracketed(url_.host) : target());
  for (const auto& [name, value] : headers) {
    if (has_line_break(name) || has_line_break(value))
      return invalid("request header {} holds a line break", muster::quoted(name));
    text += fmt::format("{}: {}\r\n", name, value);
  }
  return text;
}

Result<Reply> SocketClient::call(std::string_view method, std::string_view path_and_query,
                                 const Headers& headers, std::string_view body,
                                 std::string_view content_type) {
  auto request = head(method, path_and_query, headers);
  if (!request) return tl::unexpected(request.error());
  if (!body.empty() && !content_type.empty()) *request += fmt::format("Content-Type: {}\r\n", content_type);
  if (method != "GET" && method != "HEAD") *request += fmt::format("Content-Length: {}\r\n", body.size());
  *request += "\r\n";
  *request += body;
  std::string whole;
  bool too_long = false;
  const auto collect = [&](std::string_view piece) {
    too_long = whole.size() + piece.size() > kMaxReply;
    if (!too_long) whole += piece;
    return !too_long;
  };
  if (!socket_->idle()) socket_->close();
  ResponseReader reader(method == "HEAD");
  auto reply = exchange(*request, reader, Patience::kWholeReply, [](int) { return true; }, collect);
  if (too_long)
    return failed(method, path_and_query, {ErrorCode::kUnavailable, "the reply is longer than 64 MiB"});
  if (!reply) return failed(method, path_and_query, reply.error());
  reply->body = std::move(whole);
  return reply;
}

// A connection that was kept may have been closed meanwhile: then the request goes out once more on a new
// one.
Result<Reply> SocketClient::stream(std::string_view path_and_query, const Headers& headers,
                                   const OnStatus& on_status, const OnData& on_data) {
  auto request = head("GET", path_and_query, headers);
  if (!request) return tl::unexpected(request.error());
  *request += "\r\n";
  const bool kept = socket_->connected();
  ResponseReader reader;
  auto reply = exchange(*request, reader, Patience::kHeadAndSilence, on_status, on_data);
  if (!reply && kept && reader.untouched() && reply.error().code == ErrorCode::kUnavailable) {
    reader = ResponseReader();
    reply = exchange(*request, reader, Patience::kHeadAndSilence, on_status, on_data);
  }
  if (!reply) return failed("GET", path_and_query, reply.error());
  return reply;
}

Result<Reply> SocketClient::exchange(std::string_view request, ResponseReader& reader, Patience patience,
                                     const OnStatus& on_status, const OnData& on_data) {
  if (cancelled_) return fail(ErrorCode::kCancelled, "cancelled");
  if (!socket_->connected()) {
    if (auto connected = socket_->connect(); !connected) return tl::unexpected(connected.error());
  }
  Result<ResponseReader::Progress> progress = ResponseReader::Progress::kMore;
  if (auto sent = socket_->write(request); !sent) progress = tl::unexpected(sent.error());
  if (progress) progress = read_reply(reader, patience, on_status, on_data);
  if (!progress || *progress != ResponseReader::Progress::kDone || !reader.keeps_alive()) socket_->close();
  if (!progress) return tl::unexpected(progress.error());
  if (*progress == ResponseReader::Progress::kStopped) return fail(ErrorCode::kCancelled, "cancelled");
  Reply reply;
  reply.status = reader.status();
  reply.headers = reader.headers();
  return reply;
}

Result<ResponseReader::Progress> SocketClient::read_reply(ResponseReader& reader, Patience patience,
                                                          const OnStatus& on_status, const OnData& on_data) {
  if (buffer_.empty()) buffer_.resize(kReadBuffer);
  auto deadline = steady_clock::now() + read_timeout_;
  // While bytes keep coming read() does not wait, and so does not see that it is cancelled.
  while (!cancelled_) {
    if (patience == Patience::kHeadAndSilence && reader.head_complete())
      deadline = steady_clock::now() + read_timeout_;
    const auto got = socket_->read(buffer_.data(), buffer_.size(), deadline);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) {
      if (reader.complete_at_end()) return ResponseReader::Progress::kDone;
      return fail(ErrorCode::kUnavailable, "the connection was cut or the reply did not come in time");
    }
    auto progress = reader.feed({buffer_.data(), *got}, on_status, on_data);
    if (!progress) return fail(ErrorCode::kUnavailable, "{}", progress.error().message);
    if (*progress != ResponseReader::Progress::kMore) return progress;
  }
  return fail(ErrorCode::kCancelled, "cancelled");
}

void SocketClient::cancel() {
  cancelled_ = true;
  socket_->cancel();
}

}  // namespace

Result<std::unique_ptr<Client>> Client::create(ClientOptions options) {
  ignore_sigpipe();
  auto url = parse_base_url(options.base_url);
  if (!url) return tl::unexpected(url.error());
  auto socket = StreamSocket::create(options, *url);
  if (!socket) return tl::unexpected(socket.error());
  return std::unique_ptr<Client>(
      std::make_unique<SocketClient>(options.read_timeout, *std::move(url), *std::move(socket)));
}

}  // namespace muster::http
