// One accepted connection, plain or TLS: steps that never wait (for the thread that watches idle connections)
// and reads and writes that wait until a deadline (for a worker). Socket is non-blocking throughout.
//
// Thread rule: one thread at a time; only cut() may be called from another.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/fd.h"
#include "http/tls.h"

namespace muster::http {

using SteadyTime = std::chrono::steady_clock::time_point;

enum class Io { kDone, kWantRead, kWantWrite, kClosed };

class Connection {
 public:
  // tls == nullptr: plain.
  Connection(Fd fd, SSL_CTX* tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }
  // The subject of the certificate that the peer has shown (RFC 2253), else its address.
  [[nodiscard]] const std::string& caller() const { return caller_; }

  // The TLS handshake's next step; kDone at once when plain.
  [[nodiscard]] Io handshake();
  // Takes what has arrived into the buffer, at most one read. kDone: something was added. kClosed also when
  // the buffer (64 KiB) is full.
  [[nodiscard]] Io fill();

  // Read, not yet consumed.
  [[nodiscard]] std::string_view buffered() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes) { begin_ += bytes; }
  // A TLS record has begun to arrive and nothing of it can be read yet.
  [[nodiscard]] bool within_record() const { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }
  // Gives the buffer's memory back when nothing is in it: while a call waits and while the connection idles.
  void trim();

  // Reads at least one byte, buffered ones first; 0 at the end, on an error and at the deadline.
  [[nodiscard]] std::size_t read(char* out, std::size_t size, SteadyTime deadline);
  // Reads exactly `size` bytes; false when they do not all come in time. Touches memory only for what came.
  [[nodiscard]] bool read_all(char* out, std::size_t size, SteadyTime deadline);
  // All of it; false on an error, or when the peer takes nothing for `stall`.
  [[nodiscard]] bool write(std::string_view data, std::chrono::milliseconds stall);

  // Waits until data can be read or wake_fd is readable. True: data, or the end, is there.
  [[nodiscard]] bool wait_readable(std::chrono::milliseconds timeout, int wake_fd);
  // Whether the peer still has its side open. Does not wait.
  [[nodiscard]] bool peer_present();

  // Ends our side and throws away what the peer still sends until it closes or the deadline: a reply sent
  // before the whole request was read would else be lost to a reset.
  void linger(SteadyTime deadline);
  // Ends both sides, from any thread; whoever reads or writes sees the end.
  void cut();

  // Bookkeeping of the thread that watches idle connections.
  SteadyTime parked_until{};
  SteadyTime request_started{};  // first byte of an unfinished head, or accept
  bool handshaken = false;
  bool watched = false;  // has been parked before

 private:
  [[nodiscard]] Io read_some(char* out, std::size_t size, std::size_t& got);
  [[nodiscard]] Io write_some(std::string_view data, std::size_t& put);
  [[nodiscard]] Io tls_result(int result);
  [[nodiscard]] bool wait_for_data(SteadyTime deadline);
  [[nodiscard]] bool wait(short events, SteadyTime deadline);

  Fd fd_;
  SslPtr<SSL> ssl_;
  std::string caller_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace muster::http
