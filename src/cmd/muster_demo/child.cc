#include "cmd/muster_demo/child.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace muster::demo {
namespace {

constexpr std::chrono::seconds kGrace{5};
constexpr int kCannotRun = 127;

// Blocks all signals of this thread. A fork in between inherits that, so that the child runs none of our
// handlers.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { restore(); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  void restore() const { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

[[noreturn]] void become(const std::vector<std::string>& arguments, int output, pid_t parent,
                         const BlockedSignals& signals) {
  for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) signal(one, SIG_DFL);
  signals.restore();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kCannotRun);  // the parent died before the line above
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
  _exit(kCannotRun);
}

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

}  // namespace

Result<std::unique_ptr<Child>> Child::start(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail(ErrorCode::kUnavailable, "pipe: {}", strerror(errno));
  const pid_t parent = getpid();
  const BlockedSignals signals;
  const pid_t pid = fork();
  if (pid == 0) become(arguments, ends[1], parent, signals);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return fail(ErrorCode::kUnavailable, "fork: {}", strerror(errno));
  }
  return std::unique_ptr<Child>(new Child(pid, ends[0]));
}

Child::Child(pid_t pid, int output) : pid_(pid), reader_([this, output] { read_output(output); }) {}

Child::~Child() {
  stop();
  reader_.join();
}

void Child::read_output(int output) {
  std::string rest;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = read(output, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    rest.append(buffer.data(), static_cast<std::size_t>(count));
    const std::lock_guard lock(mutex_);
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1)) {
      lines_.push_back(rest.substr(0, end));
    }
    changed_.notify_all();
  }
  close(output);
  const std::lock_guard lock(mutex_);
  if (!rest.empty()) lines_.push_back(rest);
  ended_ = true;
  changed_.notify_all();
}

Result<std::string> Child::line_after(std::string_view prefix, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  std::string found;
  const auto look = [&] {
    const auto at =
        std::find_if(lines_.begin(), lines_.end(), [&](const auto& l) { return l.starts_with(prefix); });
    if (at != lines_.end()) found = at->substr(prefix.size());
    return at != lines_.end() || ended_;
  };
  changed_.wait_until(lock, std::chrono::steady_clock::now() + timeout, look);
  if (!found.empty()) return found;
  return fail(ErrorCode::kUnavailable, "{} the line \"{}…\"",
              ended_ ? "it ended without" : "it runs, but has not written", prefix);
}

int Child::stop() {
  std::unique_lock lock(mutex_);
  if (status_ >= 0) return status_;
  kill(pid_, SIGTERM);
  const auto gone = [this] { return ended_; };
  if (!changed_.wait_until(lock, std::chrono::steady_clock::now() + kGrace, gone)) kill(pid_, SIGKILL);
  int wait_status = 0;
  while (waitpid(pid_, &wait_status, 0) < 0 && errno == EINTR) {
  }
  status_ = status_of(wait_status);
  return status_;
}

std::string Child::last_lines(std::size_t count) const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (std::size_t i = lines_.size() - std::min(count, lines_.size()); i < lines_.size(); ++i) {
    text += "  " + lines_[i] + "\n";
  }
  return text;
}

}  // namespace muster::demo
