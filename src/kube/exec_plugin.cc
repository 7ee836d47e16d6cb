#include "kube/exec_plugin.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "kube/decode.h"
#include "kube/json_reader.h"

extern char** environ;

namespace muster::kube {
namespace {

using Value = JsonReader::Value;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kMaxOutput = std::size_t{1} << 20;
constexpr int kStepMs = 20;  // between two looks at the program

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { close(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::string_view name_of(std::string_view assignment) { return assignment.substr(0, assignment.find('=')); }

std::vector<std::string> environment_for(const ExecPlugin& plugin, const std::string& info) {
  std::vector<std::string> added;
  for (const auto& [name, value] : plugin.env) added.push_back(name + "=" + value);
  added.push_back("KUBERNETES_EXEC_INFO=" + info);
  std::vector<std::string> all = added;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool overridden = false;
    for (const auto& assignment : added) overridden = overridden || name_of(assignment) == name_of(*entry);
    if (!overridden) all.emplace_back(*entry);
  }
  return all;
}

struct Actions {
  Actions() { ::posix_spawn_file_actions_init(&actions); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  posix_spawn_file_actions_t actions{};
};

// Of a program that leads a process group of its own, so that its children can be killed with it.
struct OwnGroup {
  OwnGroup() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ::posix_spawnattr_setpgroup(&attributes, 0);
  }
  ~OwnGroup() { ::posix_spawnattr_destroy(&attributes); }
  OwnGroup(const OwnGroup&) = delete;
  OwnGroup& operator=(const OwnGroup&) = delete;
  posix_spawnattr_t attributes{};
};

Result<pid_t> spawn(const ExecPlugin& plugin, const std::string& info, int output) {
  std::vector<std::string> words = {plugin.command};
  words.insert(words.end(), plugin.args.begin(), plugin.args.end());
  std::vector<std::string> environment = environment_for(plugin, info);
  Actions actions;
  ::posix_spawn_file_actions_addopen(&actions.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions.actions, output, STDOUT_FILENO);
  const OwnGroup group;
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, plugin.command.c_str(), &actions.actions, &group.attributes,
                                   pointers(words).data(), pointers(environment).data());
  if (error == 0) return pid;
  return invalid("{} cannot be run: {}{}{}", plugin.command, std::strerror(error),
                 plugin.install_hint.empty() ? "" : ". ", plugin.install_hint);
}

// What comes out of a pipe that does not block.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  // Waits at most so long for more of it, also when nothing can come any more.
  void take(int patience_ms) {
    pollfd poller{fd_, POLLIN, 0};
    if (::poll(&poller, open_ ? 1 : 0, patience_ms) <= 0) return;
    char block[4096];
    while (text_.size() <= kMaxOutput) {
      const auto n = ::read(fd_, block, sizeof block);
      if (n == 0) open_ = false;
      if (n <= 0) return;
      text_.append(block, static_cast<std::size_t>(n));
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool too_long() const { return text_.size() > kMaxOutput; }

 private:
  int fd_;
  bool open_ = true;
  std::string text_;
};

// The program's status, when it ended by itself and in time. Else it and its children are killed. That it has
// closed its output says nothing: it may live on.
std::optional<int> wait_for_end(pid_t pid, Output& output, const std::stop_token& stop, SteadyTime until) {
  int status = 0;
  while (std::chrono::steady_clock::now() < until && !stop.stop_requested() && !output.too_long()) {
    const bool ended = ::waitpid(pid, &status, WNOHANG) == pid;
    output.take(ended ? 0 : kStepMs);
    if (ended) return status;
  }
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return std::nullopt;
}

}  // namespace

Result<ExecCredential> run_exec_plugin(const ExecPlugin& plugin, const std::string& info,
                                       const std::stop_token& stop, Duration timeout) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::kInternal, "pipe: {}", std::strerror(errno));
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  const auto pid = spawn(plugin, info, writing.get());
  if (!pid) return tl::unexpected(pid.error());
  writing.close();
  Output output(reading.get());
  const auto status = wait_for_end(*pid, output, stop, std::chrono::steady_clock::now() + timeout);
  if (!status && stop.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", plugin.command);
  if (!status || output.too_long())
    return invalid("{} did not print a credential within {} ms", plugin.command, timeout.count());
  if (!WIFEXITED(*status) || WEXITSTATUS(*status) != 0) {
    return invalid("{} failed with {} {}", plugin.command, WIFEXITED(*status) ? "status" : "signal",
                   WIFEXITED(*status) ? WEXITSTATUS(*status) : WTERMSIG(*status));
  }
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  auto credential = parse_exec_credential(output.text(), plugin.api_version, now.count());
  if (!credential) return invalid("{}: {}", plugin.command, credential.error().message);
  return credential;
}

Result<ExecCredential> parse_exec_credential(std::string_view json, std::string_view api_version,
                                             int64_t now) {
  ExecCredential credential;
  std::string version;
  std::string expires;
  const auto read = read_document(json, [&](JsonReader& reader, std::string_view key, Value value) {
    if (key == "apiVersion") version = reader.text(value);
    if (key != "status") return;
    reader.each_field(value, [&](std::string_view name, Value field) {
      if (name == "token") {
        credential.token = reader.text(field);
      } else if (name == "clientCertificateData") {
        credential.client_cert = reader.text(field);
      } else if (name == "clientKeyData") {
        credential.client_key = reader.text(field);
      } else if (name == "expirationTimestamp") {
        expires = reader.text(field);
      }
    });
  });
  // The parser's message could show a part of a secret.
  if (!read) return invalid("what it printed is no ExecCredential");
  if (version != api_version) return invalid("its apiVersion is not {}", api_version);
  if (credential.token.empty() && credential.client_cert.empty())
    return invalid("it printed neither a token nor a certificate");
  if (credential.client_cert.empty() != credential.client_key.empty())
    return invalid("it printed a certificate without its key, or a key alone");
  if (expires.empty()) return credential;
  const auto end = parse_time(expires);
  if (!end) return invalid("its expirationTimestamp is not a time such as 2026-01-31T12:00:00Z");
  credential.lifetime = std::chrono::seconds(*end - now);
  return credential;
}

}  // namespace muster::kube
