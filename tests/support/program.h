// Runs a program of this build as a user would.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace muster::test {

struct Outcome {
  int status = -1;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

// A folder below the temporary one that goes with its end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// words[0] is the program; what it prints is kept in the folder meanwhile. Throws std::runtime_error when it
// cannot be started.
[[nodiscard]] Outcome run(std::vector<std::string> words, const Folder& folder,
                          const std::filesystem::path& in = "/dev/null");

}  // namespace muster::test
