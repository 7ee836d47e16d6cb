// The verbs without HTTP: a body in, status and body out. What is a refusal for kube-scheduler is 200 with
// the nodes named as failed; a call that cannot be understood is 400; bind's failure is 200 with Error set,
// because kube-scheduler shows that text to users and drops the body of any other status.
//
// Thread rule: as for Decisions, from any number of threads at once.
#pragma once

#include <string>
#include <string_view>

#include "extender/codec.h"
#include "extender/decisions.h"
#include "extender/replies.h"

namespace muster::extender {

struct Answer {
  int status = 200;
  Reply reply;  // its pieces point into the call's body
};

class Service {
 public:
  // decisions outlives this.
  explicit Service(Decisions& decisions) : decisions_(decisions) {}

  // Never blocks. O(length of the body) memory scans, O(length of the pod) parsing.
  [[nodiscard]] Answer filter(std::string_view body);
  // Blocks as long as Decisions::bind.
  [[nodiscard]] Answer bind(std::string_view body);
  // Never blocks.
  [[nodiscard]] Answer preempt(std::string_view body);

 private:
  [[nodiscard]] Answer planned(const PodIdentity& pod, const Offer& offer, const std::string& node);

  Decisions& decisions_;
};

}  // namespace muster::extender
