// The verbs without HTTP: a body in, status and body out. What is a refusal for kube-scheduler is 200 with
// the nodes named as failed; a call that cannot be understood is 400; bind's failure is 200 with Error set,
// because kube-scheduler shows that text to users and drops the body of any other status; a standby's answer
// is 503. Refusals go to the audit trail under the caller's name (those of bind by Decisions, which knows
// why).
//
// Thread rule: as for Decisions, from any number of threads at once.
#pragma once

#include <string>
#include <string_view>

#include "extender/codec.h"
#include "extender/decisions.h"
#include "extender/refusals.h"
#include "extender/replies.h"

namespace muster::extender {

struct Answer {
  int status = 200;
  Reply reply;  // its pieces point into the call's body
};

class Service {
 public:
  // Both outlive this.
  Service(Decisions& decisions, Refusals& refusals) : decisions_(decisions), refusals_(refusals) {}

  // Never blocks. O(length of the body) memory scans, O(length of the pod) parsing.
  [[nodiscard]] Answer filter(std::string_view body, std::string_view caller);
  // Blocks as long as Decisions::bind.
  [[nodiscard]] Answer bind(std::string_view body, std::string_view caller);
  // Never blocks.
  [[nodiscard]] Answer preempt(std::string_view body, std::string_view caller);

 private:
  [[nodiscard]] Answer foreign(const FilterHead& call, const Promises& promises, std::string_view caller);
  // A standby's answer.
  [[nodiscard]] Answer ask_another(Refusal refusal);

  Decisions& decisions_;
  Refusals& refusals_;
};

}  // namespace muster::extender
