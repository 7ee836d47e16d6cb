// An API server that can misbehave: raw sockets, one thread for each connection, every byte under the test's
// control. Shares no code with src/http.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "fake_tls.h"

namespace muster::kube::test {

// One request and its reply.
class Exchange {
 public:
  std::string method;
  std::string path;
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  [[nodiscard]] bool is_watch() const { return query.count("watch") > 0; }
  [[nodiscard]] std::string parameter(const std::string& name) const {
    const auto it = query.find(name);
    return it == query.end() ? "" : it->second;
  }

  // A whole reply with a length. `extra` are header lines, each with its line end.
  void reply(int status, const std::string& json, const std::string& extra = "");
  // A reply in chunks.
  void begin(int status = 200);
  void chunk(const std::string& text);
  void end();
  // Bytes as they are.
  void raw(const std::string& bytes);
  // With TLS: the first half of the record that carries the text, and then nothing more.
  void half_record(const std::string& text);
  // Ends the connection without a word.
  void cut();
  // Of the client's certificate; empty without one.
  [[nodiscard]] std::string client_name() const;
  // Until the client goes, the server stops or the time is over.
  void hold(std::chrono::milliseconds longest = std::chrono::seconds(20));

 private:
  friend class FakeApi;
  Exchange(int fd, FakeTls* tls, const std::atomic<bool>& stopping)
      : fd_(fd), tls_(tls), stopping_(stopping) {}
  void send(const std::string& bytes);
  int fd_;
  FakeTls* tls_;  // null: plain
  const std::atomic<bool>& stopping_;
  bool cut_ = false;
};

class FakeApi {
 public:
  using Handler = std::function<void(Exchange&)>;
  explicit FakeApi(Handler handler, int port = 0);
  // TLS; clients have to show a certificate when `settings` says so.
  FakeApi(Handler handler, const FakeTlsSettings& settings);
  ~FakeApi();
  FakeApi(const FakeApi&) = delete;
  FakeApi& operator=(const FakeApi&) = delete;

  [[nodiscard]] std::string url() const;
  [[nodiscard]] int connections() const { return accepted_; }  // so far
  [[nodiscard]] std::size_t open();                            // now
  [[nodiscard]] int port() const { return port_; }
  // For connections from now on.
  void use(const FakeTlsSettings& settings);

 private:
  void accept_all();
  void serve(int fd);
  void listen(int port);

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0};
  std::mutex mutex_;                         // guards the rest
  std::shared_ptr<FakeTlsContext> context_;  // null: plain
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace muster::kube::test
