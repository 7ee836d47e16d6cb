#include "http/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace muster::http {
namespace {

constexpr int kBacklog = 4096;
// Between two looks at the connections that are there already: a flood makes nobody wait for all of it.
constexpr int kAcceptsAtOnce = 16;
constexpr std::size_t kClosesAtOnce = 16;
constexpr std::chrono::milliseconds kOverdueCheck{500};

struct AddressList {
  addrinfo* first = nullptr;
  ~AddressList() {
    if (first != nullptr) freeaddrinfo(first);
  }
};

uint16_t port_of(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

Fd try_listen(const addrinfo& where) {
  Fd fd(::socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fd;
  int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted connections inherit both (tcp(7), socket(7)): two calls fewer for each.
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  bool ok = ::bind(fd.get(), where.ai_addr, where.ai_addrlen) == 0 && ::listen(fd.get(), kBacklog) == 0;
  if (!ok) {
    int why = errno;
    fd.reset();
    errno = why;
  }
  return fd;
}

// EPOLL_CTL_ADD for what is watched for the first time, else EPOLL_CTL_MOD.
void watch(int epoll_fd, int operation, int fd, uint32_t events) {
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  ::epoll_ctl(epoll_fd, operation, fd, &event);
}

std::size_t descriptors_to_spare(std::size_t wanted) {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  std::size_t kept = std::min<std::size_t>(limit.rlim_cur / 4, 256);
  return std::min<std::size_t>(wanted, limit.rlim_cur - kept);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Options options, Ready ready) {
  std::unique_ptr<Listener> listener(new Listener(std::move(options), std::move(ready)));
  if (auto bound = listener->bind_and_listen(); !bound) return tl::unexpected(bound.error());
  return listener;
}

Result<void> Listener::bind_and_listen() {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  AddressList list;
  std::string service = std::to_string(options_.port);
  int code = ::getaddrinfo(options_.address.c_str(), service.c_str(), &hints, &list.first);
  if (code != 0) return invalid("server.address {}: {}", options_.address, ::gai_strerror(code));
  for (const addrinfo* at = list.first; at != nullptr && !listen_fd_.valid(); at = at->ai_next) {
    listen_fd_ = try_listen(*at);
  }
  if (!listen_fd_.valid()) {
    return fail(ErrorCode::kUnavailable, "listen on {} port {}: {}", options_.address, options_.port,
                std::strerror(errno));
  }
  port_ = port_of(listen_fd_.get());
  wake_fd_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  epoll_fd_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!wake_fd_.valid() || !epoll_fd_.valid()) {
    return fail(ErrorCode::kUnavailable, "listen on {}: {}", options_.address, std::strerror(errno));
  }
  options_.max_connections = descriptors_to_spare(options_.max_connections);
  watch(epoll_fd_.get(), EPOLL_CTL_ADD, listen_fd_.get(), EPOLLIN);
  watch(epoll_fd_.get(), EPOLL_CTL_ADD, wake_fd_.get(), EPOLLIN);
  return {};
}

Listener::~Listener() { stop(); }

void Listener::start() {
  thread_ = std::thread([this] { loop(); });
}

void Listener::stop() {
  if (stopping_.exchange(true)) return;
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(wake_fd_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  listen_fd_.reset();
  gone_.clear();
  std::unordered_map<int, ConnectionPtr> closing;  // ends after the lock: a connection's deleter takes it too
  std::lock_guard lock(mutex_);
  closing.swap(parked_);
}

void Listener::cut_all() {
  std::lock_guard lock(mutex_);
  for (Connection* connection : open_) connection->cut();
}

void Listener::loop() {
  std::array<epoll_event, 256> events;
  SteadyTime next_check = std::chrono::steady_clock::now() + kOverdueCheck;
  while (!stopping_) {
    const int timeout = gone_.empty() ? static_cast<int>(kOverdueCheck.count()) : 0;
    int count = ::epoll_wait(epoll_fd_.get(), events.data(), events.size(), timeout);
    for (int i = 0; i < count && !stopping_; ++i) {
      int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listen_fd_.get()) {
        accept_some();
      } else if (fd != wake_fd_.get()) {
        hand_over(fd, (events[static_cast<std::size_t>(i)].events & (EPOLLRDHUP | EPOLLHUP)) != 0);
      }
    }
    gone_.resize(gone_.size() - std::min(gone_.size(), kClosesAtOnce));
    if (std::chrono::steady_clock::now() < next_check) continue;
    close_overdue();
    next_check = std::chrono::steady_clock::now() + kOverdueCheck;
  }
}

void Listener::accept_some() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    Fd fd(::accept4(listen_fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      adopt(std::move(fd));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (!exhausted) continue;  // the peer gave up while it waited
    if (make_room()) continue;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return;
  }
}

void Listener::adopt(Fd fd) {
  std::size_t open = 0;
  {
    std::lock_guard lock(mutex_);
    open = open_.size();
  }
  if (open >= options_.max_connections && !make_room()) return;

  const SteadyTime now = std::chrono::steady_clock::now();
  SSL_CTX* tls = options_.tls != nullptr ? options_.tls->current(now) : nullptr;
  auto forget = [this](Connection* connection) {
    {
      std::lock_guard lock(mutex_);
      open_.erase(connection);
    }
    delete connection;
  };
  ConnectionPtr connection(new Connection(std::move(fd), tls), forget);
  {
    std::lock_guard lock(mutex_);
    open_.insert(connection.get());
  }
  park(std::move(connection), Io::kWantRead, now + options_.first_byte_timeout);
}

void Listener::park(ConnectionPtr connection, Io want, SteadyTime until) {
  connection->parked_until = until;
  int fd = connection->fd();
  uint32_t direction = want == Io::kWantWrite ? EPOLLOUT : EPOLLIN;
  int operation = std::exchange(connection->watched, true) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  std::lock_guard lock(mutex_);
  // With stop() over, nobody would look at it again: it is closed by the caller's drop of the pointer.
  if (stopping_) return;
  parked_.insert_or_assign(fd, std::move(connection));
  watch(epoll_fd_.get(), operation, fd, direction | EPOLLRDHUP | EPOLLONESHOT);
}

// A flood of connections that close again is to cost no workers, and nobody's time: closing is the dearest
// step of such a connection, so that it comes after whoever has something to say.
void Listener::hand_over(int fd, bool may_be_closed) {
  ConnectionPtr connection;
  {
    std::lock_guard lock(mutex_);
    auto at = parked_.find(fd);
    if (at == parked_.end()) return;
    connection = std::move(at->second);
    parked_.erase(at);
  }
  char byte = 0;
  if (may_be_closed && ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
    gone_.push_back(std::move(connection));  // closed or reset, and nothing to read
    return;
  }
  ready_(std::move(connection));
}

void Listener::close_overdue() {
  std::vector<ConnectionPtr> closing;  // ends after the lock
  SteadyTime now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  for (auto at = parked_.begin(); at != parked_.end();) {
    bool overdue = at->second->parked_until <= now;
    if (overdue) closing.push_back(std::move(at->second));
    at = overdue ? parked_.erase(at) : std::next(at);
  }
}

bool Listener::make_room() {
  if (gone_.empty()) return close_longest_idle();
  gone_.pop_back();
  return true;
}

bool Listener::close_longest_idle() {
  ConnectionPtr closing;  // ends after the lock
  std::lock_guard lock(mutex_);
  auto first = std::min_element(parked_.begin(), parked_.end(), [](const auto& a, const auto& b) {
    return a.second->parked_until < b.second->parked_until;
  });
  if (first == parked_.end()) return false;
  closing = std::move(first->second);
  parked_.erase(first);
  return true;
}

}  // namespace muster::http
