// A TCP client that sends whatever bytes a test wants.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/fd.h"

namespace muster::test {

class RawSocket {
 public:
  explicit RawSocket(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool connected() const { return connected_; }
  // False when the peer has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_sending() { ::shutdown(fd_.get(), SHUT_WR); }

  // What comes until the text is in it, the peer closes, or time is over.
  std::string receive_until(std::string_view text,
                            std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    auto deadline = std::chrono::steady_clock::now() + limit;
    while (got_.find(text) == std::string::npos || text.empty()) {
      auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd entry = {fd_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0) break;
      std::array<char, 65536> piece;
      ssize_t count = ::recv(fd_.get(), piece.data(), piece.size(), 0);
      if (count <= 0) {
        closed_ = true;
        break;
      }
      got_.append(piece.data(), static_cast<std::size_t>(count));
    }
    return got_;
  }
  std::string receive_all(std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    return receive_until({}, limit);
  }
  void forget() { got_.clear(); }
  [[nodiscard]] bool closed_by_peer() const { return closed_; }

 private:
  http::Fd fd_;
  bool connected_ = false;
  bool closed_ = false;
  std::string got_;
};

}  // namespace muster::test
