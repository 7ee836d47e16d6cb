// cpp-httplib's client stands behind the calls. Streams are read by hand: the library reads 4 KiB at a time
// with two system calls each, which is a third of the cost of a large list, and cannot be cut while it
// connects.
#include "http/client.h"

#include <httplib.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "http/response_reader.h"
#include "http/stream_socket.h"
#include "http/tls.h"
#include "http/url.h"

namespace muster::http {
namespace {

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

constexpr std::size_t kStreamBuffer = std::size_t{256} << 10;

bool has_line_break(std::string_view text) { return text.find_first_of("\r\n") != std::string_view::npos; }

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// The library maps a TLS server name only to a numeric address.
Result<std::string> numeric_address(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code != 0) return fail(ErrorCode::kUnavailable, "look up {}: {}", host, ::gai_strerror(code));
  std::array<char, NI_MAXHOST> text = {};
  code = ::getnameinfo(list->ai_addr, list->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  ::freeaddrinfo(list);
  if (code != 0) return fail(ErrorCode::kUnavailable, "look up {}: {}", host, ::gai_strerror(code));
  return std::string(text.data());
}

std::string_view words_for(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "no connection";
    case httplib::Error::ConnectionTimeout:
      return "no connection in time";
    case httplib::Error::Read:
      return "the connection was cut or the reply did not come in time";
    case httplib::Error::Write:
      return "the connection was cut while the request was sent";
    case httplib::Error::SSLConnection:
      return "TLS handshake failed";
    case httplib::Error::SSLLoadingCerts:
      return "the CA certificates cannot be loaded";
    case httplib::Error::SSLServerVerification:
      return "the server's certificate is not accepted";
    default:
      return "the call failed";
  }
}

class HttplibClient final : public Client {
 public:
  HttplibClient(ClientOptions options, BaseUrl url) : options_(std::move(options)), url_(std::move(url)) {}

  Result<void> open();

  Result<Reply> call(std::string_view method, std::string_view path_and_query, const Headers& headers,
                     std::string_view body, std::string_view content_type) override;
  Result<Reply> stream(std::string_view path_and_query, const Headers& headers,
                       const std::function<bool(int)>& on_status,
                       const std::function<bool(std::string_view)>& on_data) override;
  void cancel() override;

 private:
  Result<void> open_tls();
  Result<httplib::Request> request(std::string_view method, std::string_view path_and_query,
                                   const Headers& headers) const;
  Result<Reply> send(const httplib::Request& request);
  Result<Reply> stream_once(const std::string& request, ResponseReader& reader,
                            const std::function<bool(int)>& on_status,
                            const std::function<bool(std::string_view)>& on_data);
  Result<ResponseReader::Progress> read_stream(const std::string& request, ResponseReader& reader,
                                               const std::function<bool(int)>& on_status,
                                               const std::function<bool(std::string_view)>& on_data);
  Result<void> refresh_address();
  [[nodiscard]] std::string target() const;

  const ClientOptions options_;
  const BaseUrl url_;
  std::unique_ptr<httplib::ClientImpl> http_;
  httplib::SSLClient* https_ = nullptr;   // http_ when it speaks TLS
  std::unique_ptr<StreamSocket> socket_;  // of streams
  std::string buffer_;                    // of streams, made with the first
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> sending_ = false;
};

std::string HttplibClient::target() const { return fmt::format("{}:{}", bracketed(url_.host), url_.port); }

Result<void> HttplibClient::open() {
  if (url_.tls) {
    if (auto opened = open_tls(); !opened) return opened;
  } else {
    http_ = std::make_unique<httplib::ClientImpl>(url_.host, url_.port);
  }
  http_->set_keep_alive(true);
  http_->set_tcp_nodelay(true);
  http_->set_url_encode(false);  // paths come encoded
  http_->set_follow_location(false);
  http_->set_connection_timeout(options_.connect_timeout);
  http_->set_read_timeout(options_.read_timeout);
  http_->set_write_timeout(options_.read_timeout);
  socket_ = StreamSocket::create(options_, url_);
  if (!socket_) return fail(ErrorCode::kUnavailable, "no file descriptor is left");
  http_->set_socket_options([](socket_t socket) { set_client_socket_options(socket); });
  return {};
}

Result<void> HttplibClient::open_tls() {
  if (options_.client_cert_pem.empty() != options_.client_key_pem.empty()) {
    return invalid("client certificate and client key must be given together");
  }
  std::vector<SslPtr<X509>> certificates;
  SslPtr<EVP_PKEY> key;
  if (!options_.client_cert_pem.empty()) {
    auto read = certificates_from_pem(options_.client_cert_pem, "client certificate");
    if (!read) return tl::unexpected(read.error());
    certificates = *std::move(read);
    auto read_key = key_from_pem(options_.client_key_pem, "client key");
    if (!read_key) return tl::unexpected(read_key.error());
    key = *std::move(read_key);
    if (X509_check_private_key(certificates.front().get(), key.get()) != 1) {
      return invalid("client key does not belong to the client certificate: {}", take_ssl_error());
    }
  }
  const std::string& name = options_.server_name.empty() ? url_.host : options_.server_name;
  std::unique_ptr<httplib::SSLClient> client;
  if (key) {
    client = std::make_unique<httplib::SSLClient>(name, url_.port, certificates.front().get(), key.get());
  } else {
    client = std::make_unique<httplib::SSLClient>(name, url_.port);
  }
  if (!client->is_valid()) return invalid("TLS client for {}: {}", target(), take_ssl_error());
  SSL_CTX* context = client->ssl_context();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  for (std::size_t i = 1; i < certificates.size(); ++i)
    SSL_CTX_add1_chain_cert(context, certificates[i].get());
  if (!options_.ca_pem.empty()) {
    auto store = store_from_pem(options_.ca_pem, "CA certificate");
    if (!store) return tl::unexpected(store.error());
    client->set_ca_cert_store(store->release());
    // Without a path of its own the library adds the system's store to ours: its authorities would be trusted
    // as well, and each connection would read all of their files. No certificate is found in this one.
    client->set_ca_cert_path("", "/dev/null");
  }
  client->enable_server_certificate_verification(!options_.insecure_skip_verify);
  https_ = client.get();
  http_ = std::move(client);
  return {};
}

Result<httplib::Request> HttplibClient::request(std::string_view method, std::string_view path_and_query,
                                                const Headers& headers) const {
  bool clean =
      path_and_query.starts_with('/') && path_and_query.find_first_of(" \r\n") == std::string_view::npos;
  if (!clean)
    return invalid("request path {} is not an encoded absolute path", muster::quoted(path_and_query));
  httplib::Request out;
  out.method = method;
  out.path = url_.path + std::string(path_and_query);
  bool default_port = url_.port == (url_.tls ? 443 : 80);
  out.headers.emplace("Host", default_port ? bracketed(url_.host) : target());
  for (const auto& [name, value] : headers) {
    if (has_line_break(name) || has_line_break(value)) {
      return invalid("request header {} holds a line break", muster::quoted(name));
    }
    out.headers.emplace(name, value);
  }
  return out;
}

// A server name that differs from the host hides the host from the library's own look-up.
Result<void> HttplibClient::refresh_address() {
  if (https_ == nullptr || options_.server_name.empty() || http_->is_socket_open() != 0) return {};
  auto address = numeric_address(url_.host);
  if (!address) return tl::unexpected(address.error());
  http_->set_hostname_addr_map({{options_.server_name, *address}});
  return {};
}

Result<Reply> HttplibClient::send(const httplib::Request& request) {
  if (auto refreshed = refresh_address(); !refreshed) return tl::unexpected(refreshed.error());
  sending_ = true;
  if (cancelled_) {
    sending_ = false;
    return fail(ErrorCode::kCancelled, "{}: cancelled", target());
  }
  httplib::Result result = http_->send(request);
  sending_ = false;
  if (cancelled_) {
    return fail(ErrorCode::kCancelled, "{} {}{}: cancelled", request.method, target(), request.path);
  }
  if (!result) {
    std::string why(words_for(result.error()));
    if (result.error() == httplib::Error::SSLServerVerification && https_ != nullptr) {
      long verdict = https_->get_openssl_verify_result();
      why += verdict == X509_V_OK ? ": it is not for this name"
                                  : fmt::format(": {}", X509_verify_cert_error_string(verdict));
    }
    return fail(ErrorCode::kUnavailable, "{} {}{}: {}", request.method, target(), request.path, why);
  }
  Reply reply;
  reply.status = result->status;
  reply.body = std::move(result->body);
  for (const auto& [name, value] : result->headers) reply.headers.emplace(lower_case(name), value);
  return reply;
}

Result<Reply> HttplibClient::call(std::string_view method, std::string_view path_and_query,
                                  const Headers& headers, std::string_view body,
                                  std::string_view content_type) {
  auto out = request(method, path_and_query, headers);
  if (!out) return tl::unexpected(out.error());
  out->body = body;
  if (!body.empty() && !content_type.empty()) out->headers.emplace("Content-Type", content_type);
  return send(*out);
}

// A connection that was kept may have been closed meanwhile: then the request goes out once more on a new
// one.
Result<Reply> HttplibClient::stream(std::string_view path_and_query, const Headers& headers,
                                    const std::function<bool(int)>& on_status,
                                    const std::function<bool(std::string_view)>& on_data) {
  auto out = request("GET", path_and_query, headers);
  if (!out) return tl::unexpected(out.error());
  std::string text = fmt::format("GET {} HTTP/1.1\r\n", out->path);
  for (const auto& [name, value] : out->headers) text += fmt::format("{}: {}\r\n", name, value);
  text += "\r\n";
  const bool kept = socket_->connected();
  ResponseReader reader;
  auto reply = stream_once(text, reader, on_status, on_data);
  if (!reply && kept && reader.untouched() && reply.error().code == ErrorCode::kUnavailable) {
    reader = {};
    reply = stream_once(text, reader, on_status, on_data);
  }
  if (reply) return reply;
  Error error = reply.error();
  error.message = fmt::format("GET {}{}: {}", target(), out->path, error.message);
  return tl::unexpected(std::move(error));
}

Result<Reply> HttplibClient::stream_once(const std::string& request, ResponseReader& reader,
                                         const std::function<bool(int)>& on_status,
                                         const std::function<bool(std::string_view)>& on_data) {
  if (cancelled_) return fail(ErrorCode::kCancelled, "cancelled");
  if (!socket_->connected()) {
    if (auto connected = socket_->connect(); !connected) return tl::unexpected(connected.error());
  }
  auto progress = read_stream(request, reader, on_status, on_data);
  if (!progress || *progress != ResponseReader::Progress::kDone || !reader.keeps_alive()) socket_->close();
  if (!progress) return tl::unexpected(progress.error());
  if (*progress == ResponseReader::Progress::kStopped) return fail(ErrorCode::kCancelled, "cancelled");
  Reply reply;
  reply.status = reader.status();
  reply.headers = reader.headers();
  return reply;
}

Result<ResponseReader::Progress> HttplibClient::read_stream(
    const std::string& request, ResponseReader& reader, const std::function<bool(int)>& on_status,
    const std::function<bool(std::string_view)>& on_data) {
  if (auto sent = socket_->write(request); !sent) return tl::unexpected(sent.error());
  if (buffer_.empty()) buffer_.resize(kStreamBuffer);
  // While bytes keep coming read() does not wait, and so does not see that it is cancelled.
  while (!cancelled_) {
    const auto got = socket_->read(buffer_.data(), buffer_.size());
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

// One stop() could fall between the look at cancelled_ and the library's taking hold of its socket, and the
// call would go on to its read timeout.
void HttplibClient::cancel() {
  cancelled_ = true;
  socket_->cancel();
  http_->stop();
  for (int i = 0; i < 50 && sending_; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    http_->stop();
  }
}

}  // namespace

Result<std::unique_ptr<Client>> Client::create(ClientOptions options) {
  ignore_sigpipe();
  auto url = parse_base_url(options.base_url);
  if (!url) return tl::unexpected(url.error());
  auto client = std::make_unique<HttplibClient>(std::move(options), *std::move(url));
  if (auto opened = client->open(); !opened) return tl::unexpected(opened.error());
  return std::unique_ptr<Client>(std::move(client));
}

}  // namespace muster::http
