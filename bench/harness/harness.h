// What the benchmark programs share: their command line, processor time, percentiles, and a JSON file that
// says on which machine and from which source its figures are.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace muster::bench {

using Json = nlohmann::ordered_json;

// Processor time of the calling thread in µs, so that other load on the machine is not counted.
[[nodiscard]] double thread_micros();
[[nodiscard]] inline double thread_micros_since(double start) { return thread_micros() - start; }

// By nearest rank: the least value that a share, 0 ≤ share ≤ 1, of all are not above; 0 when there are none.
// O(n).
[[nodiscard]] double percentile(std::vector<double> values, double share);

// One program's options and its JSON file. An object is made first of all in main(), which notes the load of
// the machine before the benchmark adds its own.
class Program {
 public:
  // The executable is bench_NAME.
  Program(const std::string& name, const std::string& purpose);

  // --json is there already.
  [[nodiscard]] CLI::App& options() { return app_; }
  // Adds --seed, which is 1 unless given.
  void takes_seed(const std::string& of_what);
  [[nodiscard]] uint64_t seed() const { return seed_; }

  // Ends the program after --help and for options that are wrong.
  void parse(int argc, char** argv);

  // Writes the figures to the file of --json, when it is given, behind what every part says: benchmark,
  // machine, loadBefore, date, versions, seed. The status to end with: `status`, or 2 with a message when the
  // file cannot be written.
  [[nodiscard]] int finish(const Json& figures, int status = 0) const;

 private:
  [[nodiscard]] Json surroundings() const;

  CLI::App app_;
  std::string name_;
  std::string load_before_;
  std::string json_file_;
  uint64_t seed_ = 1;
  bool seeded_ = false;
};

}  // namespace muster::bench
