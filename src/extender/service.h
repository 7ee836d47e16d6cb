// The verbs without HTTP: a body in, status and body out. What is a refusal for kube-scheduler is 200 with
// the nodes named as failed; a call that cannot be understood is 400; bind's failure is 200 with Error set,
// because kube-scheduler shows that text to users and drops the body of any other status. Refusals go to the
// audit trail under the caller's name (those of bind by Decisions, which knows why).
//
// Thread rule: as for Decisions, from any number of threads at once.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/audit_line.h"
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
  using Audit = std::function<void(const AuditLine&)>;

  // decisions outlives this.
  explicit Service(
      Decisions& decisions, Audit audit = [](const AuditLine& line) { line.write(); })
      : decisions_(decisions), audit_(std::move(audit)) {}

  // Never blocks. O(length of the body) memory scans, O(length of the pod) parsing.
  [[nodiscard]] Answer filter(std::string_view body, std::string_view caller);
  // Blocks as long as Decisions::bind.
  [[nodiscard]] Answer bind(std::string_view body, std::string_view caller);
  // Never blocks.
  [[nodiscard]] Answer preempt(std::string_view body, std::string_view caller);

 private:
  Decisions& decisions_;
  Audit audit_;
};

}  // namespace muster::extender
