#include "list/fake_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "list/objects.h"

namespace muster::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kBlock = std::size_t{256} << 10;  // one write to the socket

class Connection {
 public:
  Connection(int fd, const FakeOptions& options) : fd_(fd), options_(options) {}

  void serve() {
    for (std::string target; !(target = next_target()).empty();) {
      const bool nodes = target.starts_with("/api/v1/nodes");
      const bool watch = target.find("watch=true") != std::string::npos;
      const bool initial = target.find("sendInitialEvents=true") != std::string::npos;
      out_ = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
      if (nodes && !watch) {
        list_nodes(target);
      } else if (nodes) {
        if (initial) stream_nodes();
        hold();
      } else if (watch) {
        if (initial) chunk(bookmark());
        pod_events();
        hold();
      } else {
        chunk(R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[]})");
        finish();
      }
    }
  }

 private:
  // "" when the client has gone.
  std::string next_target() {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      char block[4096];
      const auto n = ::recv(fd_, block, sizeof block, 0);
      if (n <= 0) return "";
      head.append(block, static_cast<std::size_t>(n));
    }
    const auto begin = head.find(' ') + 1;
    return head.substr(begin, head.find(' ', begin) - begin);
  }

  void flush() {
    for (std::size_t sent = 0; sent < out_.size();) {
      const auto n = ::send(fd_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) std::_Exit(0);
      sent += static_cast<std::size_t>(n);
    }
    out_.clear();
  }
  void flush_when_full() {
    if (out_.size() >= kBlock) flush();
  }
  void chunk(std::string_view text) {
    out_ += fmt::format("{:x}\r\n", text.size());
    out_ += text;
    out_ += "\r\n";
  }
  void finish() {
    out_ += "0\r\n\r\n";
    flush();
  }
  void hold() {
    flush();
    char byte = 0;
    while (::recv(fd_, &byte, 1, 0) > 0) {
    }
  }

  static std::string bookmark() {
    return R"({"type":"BOOKMARK","object":{"kind":"Node","apiVersion":"v1","metadata":{"resourceVersion":"7","annotations":{"k8s.io/initial-events-end":"true"}}}})"
           "\n";
  }

  // An item with what stands before and behind it, as one chunk.
  void item(const ObjectTemplate& object, uint32_t number, std::string_view before, std::string_view behind) {
    out_ += fmt::format("{:x}\r\n", before.size() + object.size() + behind.size());
    out_ += before;
    object.append(out_, number);
    out_ += behind;
    out_ += "\r\n";
    flush_when_full();
  }

  static uint32_t number_in(const std::string& target, const std::string& key, uint32_t otherwise) {
    const auto at = target.find(key);
    return at == std::string::npos
               ? otherwise
               : static_cast<uint32_t>(std::strtoul(target.c_str() + at + key.size(), nullptr, 10));
  }

  void list_nodes(const std::string& target) {
    const ObjectTemplate object(node_text(options_.node_bytes));
    const uint32_t limit = number_in(target, "limit=", options_.nodes);
    const uint32_t from = number_in(target, "continue=", 0);
    const uint32_t to = std::min(options_.nodes, from + limit);
    chunk(fmt::format(
        R"({{"kind":"NodeList","apiVersion":"v1","metadata":{{"resourceVersion":"7","continue":"{}"}},"items":[)",
        to < options_.nodes ? fmt::to_string(to) : ""));
    for (uint32_t i = from; i < to; ++i) item(object, i, i == from ? "" : ",", "");
    chunk("]}");
    finish();
  }

  void stream_nodes() {
    const ObjectTemplate object(R"({"kind":"Node","apiVersion":"v1",)" +
                                node_text(options_.node_bytes).substr(1));
    for (uint32_t i = 0; i < options_.nodes; ++i) item(object, i, R"({"type":"ADDED","object":)", "}\n");
    chunk(bookmark());
  }

  // Half a second behind its making a pod is bound, then it ends, then it is deleted; one in ten is a member
  // of a group that never gets complete. Every millisecond those events go out that are due.
  void pod_events() {
    const ObjectTemplate made[] = {ObjectTemplate(pod_text({false, false, false})),
                                   ObjectTemplate(pod_text({true, false, false}))};
    const ObjectTemplate bound(pod_text({false, true, false}));
    const ObjectTemplate ended(pod_text({false, true, true}));
    const uint64_t total = uint64_t{options_.pod_events_per_second} * options_.pod_seconds;
    const auto began = steady_clock::now();
    for (uint64_t sent = 0; sent < total;) {
      const double elapsed = std::chrono::duration<double>(steady_clock::now() - began).count();
      const auto due = std::min(total, static_cast<uint64_t>(elapsed * options_.pod_events_per_second));
      for (; sent < due; ++sent) {
        const auto pod = static_cast<uint32_t>(sent / 4);
        const bool member = pod % 10 == 0;
        const std::string_view type = sent % 4 == 0 ? "ADDED" : sent % 4 == 3 ? "DELETED" : "MODIFIED";
        const ObjectTemplate& object = member || sent % 4 == 0 ? made[member ? 1 : 0]
                                       : sent % 4 == 1         ? bound
                                                               : ended;
        item(object, pod, fmt::format(R"({{"type":"{}","object":)", type), "}\n");
      }
      flush();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  const int fd_;
  const FakeOptions& options_;
  std::string out_;
};

[[noreturn]] void serve(int listener, const FakeOptions& options) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) std::_Exit(1);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread([fd, &options] {
      Connection(fd, options).serve();
      ::close(fd);
    }).detach();
  }
}

}  // namespace

FakeServer::FakeServer(const FakeOptions& options) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (listener < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 16) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("no listener on 127.0.0.1");
  url_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) serve(listener, options);
  ::close(listener);
}

FakeServer::~FakeServer() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

double FakeServer::cpu_seconds() const {
  std::ifstream file(fmt::format("/proc/{}/stat", pid_));
  std::string word;
  double ticks = 0;
  for (int i = 1; i <= 15 && file >> word; ++i) {
    if (i >= 14) ticks += std::stod(word);
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace muster::bench
