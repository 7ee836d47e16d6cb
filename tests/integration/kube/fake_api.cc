#include "fake_api.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace muster::kube::test {
namespace {

std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::map<std::string, std::string> parse_query(const std::string& text) {
  std::map<std::string, std::string> query;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('&', at), text.size());
    const std::string pair = text.substr(at, end - at);
    const auto equals = pair.find('=');
    query[pair.substr(0, equals)] = equals == std::string::npos ? "" : decoded(pair.substr(equals + 1));
    at = end + 1;
  }
  return query;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

void Exchange::raw(const std::string& bytes) { send(tls_ == nullptr ? bytes : tls_->sealed(bytes)); }

void Exchange::half_record(const std::string& text) {
  const std::string record = tls_->sealed(text);
  send(record.substr(0, record.size() / 2));
}

std::string Exchange::client_name() const { return tls_ == nullptr ? "" : tls_->peer_name(); }

void Exchange::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size() && !cut_) {
    const auto n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) {
      cut_ = true;
      return;
    }
    sent += static_cast<std::size_t>(n);
  }
}

void Exchange::reply(int status, const std::string& json, const std::string& extra) {
  raw("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" + extra +
      "Content-Length: " + std::to_string(json.size()) + "\r\n\r\n" + json);
}

void Exchange::begin(int status) {
  raw("HTTP/1.1 " + std::to_string(status) +
      " X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
}

void Exchange::chunk(const std::string& text) {
  char length[32];
  std::snprintf(length, sizeof length, "%zx\r\n", text.size());
  raw(length + text + "\r\n");
}

void Exchange::end() { raw("0\r\n\r\n"); }

void Exchange::cut() {
  cut_ = true;
  ::shutdown(fd_, SHUT_RDWR);
}

void Exchange::hold(std::chrono::milliseconds longest) {
  const auto until = std::chrono::steady_clock::now() + longest;
  while (!stopping_ && !cut_ && std::chrono::steady_clock::now() < until) {
    pollfd poller{fd_, POLLIN, 0};
    if (::poll(&poller, 1, 10) <= 0) continue;
    char byte = 0;
    // What a TLS client sends now is its farewell.
    if (::recv(fd_, &byte, 1, MSG_PEEK) <= 0 || tls_ != nullptr) cut_ = true;
  }
}

FakeApi::FakeApi(Handler handler, int port) : handler_(std::move(handler)) { listen(port); }

FakeApi::FakeApi(Handler handler, const FakeTlsSettings& settings)
    : handler_(std::move(handler)), context_(std::make_shared<FakeTlsContext>(settings)) {
  listen(0);
}

void FakeApi::use(const FakeTlsSettings& settings) {
  const std::lock_guard lock(mutex_);
  context_ = std::make_shared<FakeTlsContext>(settings);
}

void FakeApi::listen(int port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int reuse = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  socklen_t length = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    std::perror("fake API server");
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeApi::~FakeApi() {
  stopping_ = true;
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
}

std::string FakeApi::url() const {
  return (context_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

std::size_t FakeApi::open() {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

void FakeApi::accept_all() {
  while (!stopping_) {
    pollfd poller{listener_, POLLIN, 0};
    if (::poll(&poller, 1, 10) <= 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++accepted_;
    const std::lock_guard lock(mutex_);
    open_.insert(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

namespace {

// Bytes of the client as they come, decrypted where there is TLS. False when it has gone.
bool more(int fd, FakeTls* tls, std::string& buffer) {
  if (tls != nullptr) return tls->receive(fd, buffer);
  char block[16384];
  const auto n = ::recv(fd, block, sizeof block, 0);
  if (n > 0) buffer.append(block, static_cast<std::size_t>(n));
  return n > 0;
}

bool read_request(int fd, FakeTls* tls, std::string& buffer, Exchange& exchange) {
  std::size_t head_end = 0;
  while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!more(fd, tls, buffer)) return false;
  }
  const std::string head = buffer.substr(0, head_end + 2);
  const auto first_space = head.find(' ');
  const auto second_space = head.find(' ', first_space + 1);
  exchange.method = head.substr(0, first_space);
  const std::string target = head.substr(first_space + 1, second_space - first_space - 1);
  const auto question = target.find('?');
  exchange.path = decoded(target.substr(0, question));
  if (question != std::string::npos) exchange.query = parse_query(target.substr(question + 1));
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto end = head.find("\r\n", at);
    const std::string line = head.substr(at, end - at);
    const auto colon = line.find(':');
    if (colon != std::string::npos)
      exchange.headers[lower(line.substr(0, colon))] = line.substr(line.find_first_not_of(' ', colon + 1));
    at = end + 2;
  }
  const auto it = exchange.headers.find("content-length");
  const std::size_t length = it == exchange.headers.end() ? 0 : std::stoul(it->second);
  while (buffer.size() < head_end + 4 + length) {
    if (!more(fd, tls, buffer)) return false;
  }
  exchange.body = buffer.substr(head_end + 4, length);
  buffer.erase(0, head_end + 4 + length);
  return true;
}

}  // namespace

void FakeApi::serve(int fd) {
  std::unique_ptr<FakeTls> tls;
  {
    const std::lock_guard lock(mutex_);
    if (context_) tls = std::make_unique<FakeTls>(context_);
  }
  std::string buffer;
  while (!stopping_ && (!tls || tls->handshake(fd))) {
    Exchange exchange(fd, tls.get(), stopping_);
    if (!read_request(fd, tls.get(), buffer, exchange)) break;
    handler_(exchange);
    if (exchange.cut_) break;
  }
  const std::lock_guard lock(mutex_);
  open_.erase(fd);
  ::close(fd);
}

}  // namespace muster::kube::test
