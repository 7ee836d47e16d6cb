#include "harness/harness.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <thread>

#include "harness/commit.h"

namespace muster::bench {
namespace {

// As in /proc/cpuinfo, with the number of processors.
std::string machine() {
  std::string model = "unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    model = line.substr(std::min(line.size(), line.find(':') + 2));
    break;
  }
  return fmt::format("{} × {}", std::thread::hardware_concurrency(), model);
}

// How many threads wanted to run in the last minute, on average.
std::string load() {
  std::string one;
  std::ifstream("/proc/loadavg") >> one;
  return one;
}

Json versions() {
  return {{"muster", "muster " MUSTER_VERSION MUSTER_COMMIT},
          {"compiler", "g++ " __VERSION__ ", " MUSTER_BUILD}};
}

}  // namespace

double thread_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto chosen = values.begin() + std::max<std::ptrdiff_t>(rank, 1) - 1;
  std::nth_element(values.begin(), chosen, values.end());
  return *chosen;
}

Program::Program(const std::string& name, const std::string& purpose)
    : app_(purpose, "bench_" + name), name_(name), load_before_(load()) {
  app_.add_option("--json", json_file_, "write the figures to this file as well");
}

void Program::takes_seed(const std::string& of_what) {
  app_.add_option("--seed", seed_, of_what + " (1)");
  seeded_ = true;
}

void Program::parse(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app_.exit(error));
  }
}

Json Program::surroundings() const {
  Json text{{"benchmark", name_},
            {"machine", machine()},
            {"loadBefore", load_before_},
            {"date", fmt::format("{:%Y-%m-%d %H:%M}Z", fmt::gmtime(std::time(nullptr)))},
            {"versions", versions()}};
  if (seeded_) text["seed"] = seed_;
  return text;
}

int Program::finish(const Json& figures, int status) const {
  if (json_file_.empty()) return status;
  Json text = surroundings();
  text.update(figures);
  std::ofstream file(json_file_);
  file << text.dump(1) << '\n';
  file.close();
  if (file) return status;
  fmt::print(stderr, "bench_{}: {} cannot be written\n", name_, json_file_);
  return 2;
}

}  // namespace muster::bench
