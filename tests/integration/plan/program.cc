#include "program.h"

#include <filesystem>
#include <fstream>

#include "support/paths.h"

namespace muster::plan_cases {

namespace fs = std::filesystem;

Outcome run_plan(const std::vector<std::string>& arguments, const std::vector<TextFile>& files) {
  const test::Folder folder;
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
  return test::run(words, folder, in);
}

}  // namespace muster::plan_cases
