// The engine's decisions, as long as this process leads.
//
// Thread rule: as for Decisions.
#pragma once

#include <string>
#include <vector>

#include "election/candidate.h"
#include "engine/engine.h"
#include "extender/decisions.h"

namespace muster::cmd {

class LedDecisions final : public extender::Decisions {
 public:
  // Both must outlive this. Without a candidate the process leads always.
  LedDecisions(engine::Engine& engine, const election::Candidate* candidate)
      : engine_(engine), candidate_(candidate) {}

  extender::FilterDecision filter(const extender::PodIdentity& pod) override { return engine_.filter(pod); }
  void node_refused(const extender::PodIdentity& pod, const std::string& node) override {
    engine_.node_refused(pod, node);
  }
  Result<void> bind(const extender::BindCall& call) override { return engine_.bind(call); }
  bool may_preempt(const extender::PodIdentity& preemptor,
                   const std::vector<std::string>& victim_uids) override {
    return engine_.may_preempt(preemptor, victim_uids);
  }
  bool ready() const override { return engine_.ready(); }
  std::string standby() const override {
    if (!candidate_ || candidate_->acting()) return {};
    return candidate_->standing();
  }
  std::string metrics() const override { return engine_.metrics(); }

 private:
  engine::Engine& engine_;
  const election::Candidate* const candidate_;
};

}  // namespace muster::cmd
