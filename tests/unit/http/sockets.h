// The server's ends of connections to clients under test, as bare sockets on loopback.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>

#include "http/fd.h"

namespace muster::http::test {

inline sockaddr_in loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A socket with a port, not yet listening.
struct Bound {
  Bound() : fd(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  Fd fd;
  uint16_t port = 0;
};

// Its queue of connections is full, so that further ones get no answer, neither yes nor no.
class Swallower {
 public:
  Swallower() {
    REQUIRE(::listen(bound_.fd.get(), 0) == 0);
    for (Fd& fd : waiting_) {
      fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      const sockaddr_in address = loopback(bound_.port);
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
  }
  [[nodiscard]] uint16_t port() const { return bound_.port; }

 private:
  Bound bound_;
  std::array<Fd, 4> waiting_;
};

}  // namespace muster::http::test
