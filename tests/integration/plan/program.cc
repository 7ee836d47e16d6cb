#include "program.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/paths.h"

namespace muster::plan_cases {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "muster-plan-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder for the case");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

int run(std::vector<std::string> words, const fs::path& in, const fs::path& out, const fs::path& err) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error(words[0] + " cannot be started");
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Outcome run_plan(const std::vector<std::string>& arguments, const std::vector<TextFile>& files) {
  const Folder folder;
  std::vector<std::string> words{test::binary_dir() + "/src/cmd/muster", "plan"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  fs::path in = "/dev/null";
  for (const TextFile& file : files) {
    const bool piped = file.name == "-";
    const fs::path path = folder.path() / (piped ? "stdin" : file.name);
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << file.text;
    const fs::path given = path.parent_path() == folder.path() ? path : path.parent_path();
    if (piped) in = path;
    if (file.name == "--config") {
      words.insert(words.end(), {"--config", path.string()});
      continue;
    }
    const std::string word = piped ? "-" : given.string();
    if (word != words.back()) words.insert(words.end(), {"-f", word});
  }
  Outcome outcome;
  outcome.status = run(words, in, folder.path() / "out", folder.path() / "err");
  outcome.out = read(folder.path() / "out");
  outcome.err = read(folder.path() / "err");
  return outcome;
}

}  // namespace muster::plan_cases
