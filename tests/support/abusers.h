// Callers that mean no good, each for as long as it is let: the load benchmark runs them for a minute, the
// tests for a moment.
#pragma once

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/raw_socket.h"

namespace muster::test {

inline constexpr std::array<std::string_view, 6> kAbuses = {
    "slow heads", "slow bodies", "half-open", "100 MB bodies", "random bytes", "connection floods"};

// Threads, one for each abuser; the kinds of abuse take turns. Ends with the object.
class Abusers {
 public:
  Abusers(uint16_t port, int count) : port_(port) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this, i] { run(static_cast<unsigned>(i)); });
  }
  ~Abusers() { stop(); }
  Abusers(const Abusers&) = delete;
  Abusers& operator=(const Abusers&) = delete;

  void stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  // Connections opened so far.
  [[nodiscard]] uint64_t connections() const { return connections_; }

 private:
  using Milliseconds = std::chrono::milliseconds;
  static constexpr std::size_t kAtOnce = 50;  // connections of a patient abuser

  void run(unsigned number) {
    // They are other machines' work: where they share ours, they come after the server and the callers.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 19);
    std::mt19937 random(number);
    while (!stopping_) {
      switch (number % kAbuses.size()) {
        case 0:
          trickle("POST /filter HTTP/1.1\r\nX: ");
          break;
        case 1:
          trickle("POST /filter HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{");
          break;
        case 2:
          half_open();
          break;
        case 3:
          large_body(random() % 2 == 0);
          break;
        case 4:
          noise(random);
          break;
        default:
          flood();
          break;
      }
    }
  }

  RawSocket connect() {
    ++connections_;
    return RawSocket(port_);
  }

  void pause(Milliseconds time) const {
    auto end = std::chrono::steady_clock::now() + time;
    while (!stopping_ && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(Milliseconds(5));
  }

  // A byte now and then on many connections, until the server has ended them all.
  void trickle(std::string_view beginning) {
    std::vector<RawSocket> sockets;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      sockets.push_back(connect());
      sockets.back().send(beginning);
    }
    while (!stopping_ && !sockets.empty()) {
      pause(Milliseconds(200));
      std::erase_if(sockets, [](RawSocket& socket) { return !socket.send("x"); });
    }
  }

  // Half a request, then silence; or its own side closed and the reply never read.
  void half_open() {
    std::vector<RawSocket> sockets;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      sockets.push_back(connect());
      sockets.back().send("POST /bind HTTP/1.1\r\nContent-Length: 90\r\n\r\n{\"PodName\":");
      if (i % 2 == 0) sockets.back().end_sending();
    }
    pause(Milliseconds(1000));
  }

  void large_body(bool chunked) {
    RawSocket socket = connect();
    socket.send(chunked ? "POST /filter HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                        : "POST /filter HTTP/1.1\r\nContent-Length: 104857600\r\n\r\n");
    const std::string piece =
        (chunked ? "10000\r\n" : "") + std::string(0x10000, 'x') + (chunked ? "\r\n" : "");
    for (int i = 0; i < 1600 && !stopping_ && socket.send(piece); ++i) {
    }
    pause(Milliseconds(50));
  }

  void noise(std::mt19937& random) {
    RawSocket socket = connect();
    std::string bytes(1 + random() % 4096, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (random() % 2 == 0) bytes = "POST /filter HTTP/1.1\r\n" + bytes;
    socket.send(bytes);
    socket.receive_all(Milliseconds(200));
  }

  void flood() {
    std::vector<RawSocket> sockets;
    for (std::size_t i = 0; i < 4 * kAtOnce && !stopping_; ++i) sockets.push_back(connect());
    pause(Milliseconds(100));
  }

  const uint16_t port_;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> connections_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace muster::test
