#include "cmd/muster/common.h"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/text.h"
#include "cmd/configured.h"

namespace muster::cmd {

Result<std::vector<books::TreeLabels>> parse_levels(const std::string& list) {
  books::TreeLabels tree{"levels", {}};
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t comma = std::min(list.find(',', begin), list.size());
    const std::string item = list.substr(begin, comma - begin);
    begin = comma + 1;
    const std::size_t sign = item.find('=');
    const std::string name = item.substr(0, sign);
    const std::string key = sign == std::string::npos ? name : item.substr(sign + 1);
    if (name.empty() || key.empty())
      return invalid("--levels: {} is neither NAME=LABELKEY nor LABELKEY", quoted(item));
    constexpr std::string_view kHostKey = "kubernetes.io/hostname";
    const bool host = name == "host" || key == kHostKey;
    if (name == "host" && key != "host" && key != kHostKey)
      return invalid("--levels: {}: a host's label is {}", quoted(item), kHostKey);
    if (host && begin <= list.size()) return invalid("--levels: {} has to be the last level", quoted(item));
    for (const books::LevelLabels& level : tree.levels) {
      if (level.name == name) return invalid("--levels: {} is listed twice", quoted(name));
      if (level.labels.front() == key)
        return invalid("--levels: {} is the label of both {} and {}", quoted(key), quoted(level.name),
                       quoted(name));
    }
    if (!host) tree.levels.push_back({name, {key}});
  }
  const std::vector<books::TreeLabels> trees{tree};
  if (const Result<void> sound = check_levels(trees); !sound) return tl::unexpected(sound.error());
  return trees;
}

Result<engine::CoordinatorOptions> load_options(const std::string& file) {
  const Result<config::Configuration> configuration = config::load(file);
  if (!configuration) return tl::unexpected(configuration.error());
  engine::CoordinatorOptions options = to_options(*configuration);
  if (const Result<void> sound = check_levels(options.trees); !sound) return tl::unexpected(sound.error());
  return options;
}

void warn_of(const offline::Input& input, const char* command) {
  for (const std::string& warning : offline::warnings(input))
    std::fprintf(stderr, "%s: warning: %s\n", command, warning.c_str());
}

Result<void> write_stdout(std::string_view text) {
  const bool whole =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!whole) return invalid("standard output: {}", std::generic_category().message(errno));
  return {};
}

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace muster::cmd
