// A child process whose output is read line by line. It ends when the Child is destroyed, and also when this
// process dies.
//
// Thread rule: the functions are safe from several threads, except the destructor.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"

namespace muster::demo {

class Child {
 public:
  // kUnavailable when the program cannot be started. REQUIRES: arguments is not empty; the first is the
  // program.
  [[nodiscard]] static Result<std::unique_ptr<Child>> start(const std::vector<std::string>& arguments);
  ~Child();  // SIGTERM, after a few seconds SIGKILL
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The rest of the first line, of stdout or stderr, that begins with prefix. kUnavailable when the child
  // ends or the time is over before; the message then holds the last lines it wrote.
  [[nodiscard]] Result<std::string> line_after(std::string_view prefix, std::chrono::milliseconds timeout);

  // Asks it to end, waits, and returns its exit status; 128 + signal when a signal ended it.
  int stop();

  [[nodiscard]] std::string last_lines(std::size_t count) const;

 private:
  Child(pid_t pid, int output);
  void read_output(int output);

  const pid_t pid_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  bool ended_ = false;  // its output is closed
  int status_ = -1;     // once it has been waited for
  std::thread reader_;
};

}  // namespace muster::demo
