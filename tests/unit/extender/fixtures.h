// The calls that kube-scheduler's own types marshal to, and a Decisions that answers as told.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "extender/decisions.h"
#include "extender/refusals.h"
#include "support/paths.h"

namespace muster::extender {

enum Sample { kFilter, kFilterNoNames, kFilterNodes, kBind, kPreempt, kPreemptWholePods };

inline std::string sample(Sample which) {
  std::ifstream file(test::source_dir() + "/tests/unit/extender/fixtures/calls.jsonl");
  std::string line;
  for (int i = 0; i <= which; ++i) REQUIRE(std::getline(file, line));
  return line;
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

class FakeDecisions : public Decisions {
 public:
  FilterDecision filter(const PodIdentity& pod) override {
    seen.push_back(pod);
    return decision;
  }
  void node_refused(const PodIdentity& pod, const std::string& node) override {
    refused.emplace_back(pod.uid, node);
  }
  Result<void> bind(const BindCall& call) override {
    bound.push_back(call);
    return bind_result;
  }
  bool may_preempt(const PodIdentity&, const std::vector<std::string>& uids) override {
    return allowed(uids);
  }
  bool ready() const override { return true; }
  std::string standby() const override { return away; }
  std::string metrics() const override { return "muster_up 1\n"; }

  FilterDecision decision = Foreign{std::make_shared<Promises>()};
  Result<void> bind_result;
  std::function<bool(const std::vector<std::string>&)> allowed = [](const auto&) { return true; };
  std::vector<PodIdentity> seen;
  std::vector<std::pair<std::string, std::string>> refused;
  std::vector<BindCall> bound;
  std::string away;   // standby()
  Refusals refusals;  // of the service that asks this
};

}  // namespace muster::extender
