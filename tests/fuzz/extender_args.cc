// The calls of kube-scheduler: whatever the body, there is an answer, and a 200 carries JSON.
#include <nlohmann/json.hpp>

#include "extender/service.h"
#include "fuzz/target.h"

namespace {

using namespace muster;
using namespace muster::extender;

class AnyDecisions final : public Decisions {
 public:
  explicit AnyDecisions(uint8_t choice) : choice_(choice) {}
  FilterDecision filter(const PodIdentity& pod) override {
    if (choice_ % 4 == 0) return Planned{"node-1"};
    if (choice_ % 4 == 1) return Held{"held \"" + pod.name};
    auto promises = std::make_shared<Promises>();
    if (choice_ % 4 == 2) (*promises)["node-1"].set("cpu", 1);
    return Foreign{promises};
  }
  void node_refused(const PodIdentity&, const std::string&) override {}
  Result<void> bind(const BindCall& call) override {
    if (choice_ % 2 == 0) return {};
    return fail(ErrorCode::kUnavailable, "no: {}", call.name);
  }
  bool may_preempt(const PodIdentity&, const std::vector<std::string>& victims) override {
    return victims.size() % 2 == 0;
  }
  bool ready() const override { return true; }
  std::string metrics() const override { return {}; }

 private:
  uint8_t choice_;
};

}  // namespace

MUSTER_FUZZ_TARGET(extender_args) {
  const uint8_t choice = muster::fuzz::take_byte(input);
  AnyDecisions decisions(choice >> 2);
  Refusals refusals;
  Service service(decisions, refusals);
  const Answer answer = choice % 3 == 0   ? service.filter(input, "fuzzer")
                        : choice % 3 == 1 ? service.bind(input, "fuzzer")
                                          : service.preempt(input, "fuzzer");
  for (const AuditLine& line : refusals.take(Duration(0))) EXPECT_THAT(nlohmann::json::accept(line.text()));
  EXPECT_THAT(answer.status == 200 || answer.status == 400);
  if (answer.status == 200 && nlohmann::json::accept(input)) {
    EXPECT_THAT(nlohmann::json::accept(answer.reply.text()));
  }
}
