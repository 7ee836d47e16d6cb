// The figures, the bars they are held against, and both as text and JSON.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "load/measure.h"

namespace muster::bench {

class Report {
 public:
  // how: "plain" or "mutual TLS".
  void blocked(const std::string& how, int count, const BlockedResult& result);
  void abused(int abusers, std::chrono::seconds time, const AbuseResult& result);
  // Writes the JSON unless file is empty. The status to end with: 1 when a bar is not held.
  [[nodiscard]] int end(const std::string& file);

 private:
  struct Bar {
    std::string what;
    double measured = 0;
    double below = 0;
    [[nodiscard]] bool held() const { return measured < below; }
  };
  void bar(std::string what, double measured, double below);
  void add(std::string part) { parts_.push_back(std::move(part)); }

  std::vector<Bar> bars_;
  std::vector<std::string> parts_;
};

}  // namespace muster::bench
