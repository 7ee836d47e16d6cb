#include "http/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

namespace muster::http {
namespace {

constexpr std::size_t kBufferBytes = 64u << 10;
constexpr std::size_t kWasteBytes = 64u << 10;
constexpr std::chrono::milliseconds kWastePause{1};

std::string peer_address(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
  std::array<char, INET6_ADDRSTRLEN> text = {};
  const void* raw = address.ss_family == AF_INET6
                        ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr)
                        : static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(&address)->sin_addr);
  if (::inet_ntop(address.ss_family, raw, text.data(), text.size()) == nullptr) return "unknown";
  return text.data();
}

int milliseconds_until(SteadyTime deadline) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 3'600'000));
}

}  // namespace

Connection::Connection(Fd fd, SSL_CTX* tls) : fd_(std::move(fd)), caller_(peer_address(fd_.get())) {
  if (tls == nullptr) {
    handshaken = true;
    return;
  }
  ssl_.reset(SSL_new(tls));
  if (ssl_) SSL_set_fd(ssl_.get(), fd_.get());
}

// A TLS peer is told that this is the end and not a cut; nobody waits for its answer.
Connection::~Connection() {
  if (!ssl_ || !handshaken) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

Io Connection::tls_result(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Io::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Io::kWantWrite;
    default:
      return Io::kClosed;
  }
}

Io Connection::handshake() {
  if (handshaken) return Io::kDone;
  if (!ssl_) return Io::kClosed;
  ERR_clear_error();
  int result = SSL_accept(ssl_.get());
  if (result != 1) return tls_result(result);
  handshaken = true;
  if (const X509* shown = SSL_get0_peer_certificate(ssl_.get())) caller_ = subject_of(*shown);
  return Io::kDone;
}

Io Connection::read_some(char* out, std::size_t size, std::size_t& got) {
  got = 0;
  if (ssl_) {
    ERR_clear_error();
    int result = SSL_read_ex(ssl_.get(), out, size, &got);
    return result == 1 ? Io::kDone : tls_result(result);
  }
  while (true) {
    ssize_t result = ::recv(fd_.get(), out, size, 0);
    if (result > 0) {
      got = static_cast<std::size_t>(result);
      return Io::kDone;
    }
    if (result == 0) return Io::kClosed;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Io::kWantRead : Io::kClosed;
  }
}

Io Connection::write_some(std::string_view data, std::size_t& put) {
  put = 0;
  if (ssl_) {
    ERR_clear_error();
    int result = SSL_write_ex(ssl_.get(), data.data(), data.size(), &put);
    return result == 1 ? Io::kDone : tls_result(result);
  }
  while (true) {
    ssize_t result = ::send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (result >= 0) {
      put = static_cast<std::size_t>(result);
      return Io::kDone;
    }
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Io::kWantWrite : Io::kClosed;
  }
}

Io Connection::fill() {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == kBufferBytes) return Io::kClosed;
  std::size_t got = 0;
  Io state = read_some(buffer_.get() + end_, kBufferBytes - end_, got);
  end_ += got;
  return state;
}

void Connection::trim() {
  if (begin_ != end_) return;
  begin_ = end_ = 0;
  buffer_.reset();
}

bool Connection::wait(short events, SteadyTime deadline) {
  pollfd entry = {fd_.get(), events, 0};
  while (true) {
    int result = ::poll(&entry, 1, milliseconds_until(deadline));
    if (result > 0) return true;
    if (result == 0 || errno != EINTR) return false;
  }
}

bool Connection::wait_for_data(SteadyTime deadline) {
  while (buffered().empty()) {
    Io state = fill();
    if (state == Io::kDone) break;
    if (state == Io::kClosed) return false;
    if (!wait(state == Io::kWantRead ? POLLIN : POLLOUT, deadline)) return false;
  }
  return true;
}

std::size_t Connection::read(char* out, std::size_t size, SteadyTime deadline) {
  if (!wait_for_data(deadline)) return 0;
  std::size_t taken = std::min(size, buffered().size());
  std::memcpy(out, buffered().data(), taken);
  consume(taken);
  return taken;
}

bool Connection::read_all(char* out, std::size_t size, SteadyTime deadline) {
  std::size_t have = std::min(size, buffered().size());
  if (have > 0) std::memcpy(out, buffered().data(), have);
  consume(have);
  while (have < size) {
    std::size_t got = 0;
    Io state = read_some(out + have, size - have, got);
    have += got;
    if (state == Io::kDone) continue;
    if (state == Io::kClosed) return false;
    if (!wait(state == Io::kWantRead ? POLLIN : POLLOUT, deadline)) return false;
  }
  return true;
}

bool Connection::write(std::string_view data, std::chrono::milliseconds stall) {
  while (!data.empty()) {
    std::size_t put = 0;
    Io state = write_some(data, put);
    if (state == Io::kClosed) return false;
    if (state == Io::kDone) {
      data.remove_prefix(put);
      continue;
    }
    if (!wait(state == Io::kWantWrite ? POLLOUT : POLLIN, std::chrono::steady_clock::now() + stall))
      return false;
  }
  return true;
}

bool Connection::wait_readable(std::chrono::milliseconds timeout, int wake_fd) {
  if (!buffered().empty() || (ssl_ && SSL_pending(ssl_.get()) > 0)) return true;
  std::array<pollfd, 2> entries = {{{fd_.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}}};
  int result = ::poll(entries.data(), entries.size(), static_cast<int>(timeout.count()));
  return result > 0 && entries[0].revents != 0;
}

bool Connection::peer_present() {
  pollfd entry = {fd_.get(), POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) == 0;
}

void Connection::linger(SteadyTime deadline) {
  if (ssl_ && handshaken) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  ::shutdown(fd_.get(), SHUT_WR);
  std::array<char, kWasteBytes> waste;
  while (std::chrono::steady_clock::now() < deadline) {
    ssize_t result = ::recv(fd_.get(), waste.data(), waste.size(), 0);
    if (result > 0) {
      // Who sends a hundred megabytes after a refusal gets no processor for it.
      std::this_thread::sleep_for(kWastePause);
      continue;
    }
    if (result == 0) return;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return;
    if (!wait(POLLIN, deadline)) return;
  }
}

void Connection::cut() { ::shutdown(fd_.get(), SHUT_RDWR); }

}  // namespace muster::http
