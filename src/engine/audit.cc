#include "engine/audit.h"

#include <string_view>

#include "base/json_text.h"

namespace muster::engine {
namespace {

class Line {
 public:
  Line& add(std::string_view name, std::string_view value) {
    text_ += text_.empty() ? '{' : ',';
    append_json_string(text_, name);
    text_ += ':';
    append_json_string(text_, value);
    return *this;
  }
  Line& add(const group::PodId& pod) { return add("pod", pod.ns + "/" + pod.name).add("uid", pod.uid); }
  Line& add(const Result<void>& result) {
    add("result", result ? "ok" : to_string(result.error().code));
    return result ? *this : add("error", result.error().message);
  }
  [[nodiscard]] std::string text() const { return text_ + "}"; }

 private:
  std::string text_;
};

// A binding without a plan is one of kube-scheduler's own, passed on.
std::string of(const group::Bind& bind, const Result<void>& result) {
  const bool ours = !bind.plan.empty();
  return Line()
      .add("what", "bind")
      .add("who", ours ? "muster" : "kube-scheduler")
      .add(bind.pod)
      .add("node", bind.node)
      .add("plan", bind.plan)
      .add("why", ours ? "every member of the plan may be bound" : "pod of no group")
      .add(result)
      .text();
}

template <typename Evict>
std::string of_eviction(const Evict& evict, const Result<void>& result) {
  return Line()
      .add("what", "evict")
      .add("who", "muster")
      .add(evict.pod)
      .add("why", "its group lets go")
      .add(result)
      .text();
}

std::string of(const group::Tell& tell) {
  return Line()
      .add("what", "refuse")
      .add("who", "muster")
      .add(tell.pod)
      .add("why", tell.reason + ": " + tell.message)
      .text();
}

}  // namespace

std::string audit_of(const group::Command& command, const Result<void>& result) {
  return std::visit(
      [&](const auto& done) -> std::string {
        using Done = std::decay_t<decltype(done)>;
        if constexpr (std::is_same_v<Done, group::Bind>) {
          return of(done, result);
        } else if constexpr (std::is_same_v<Done, group::Tell>) {
          return done.warning ? of(done) : "";
        } else if constexpr (requires { done.obey_budgets; }) {
          return of_eviction(done, result);
        } else {
          return "";
        }
      },
      command);
}

std::string audit_of(const extender::BindCall& call, const Error& error) {
  return Line()
      .add("what", "refuse")
      .add("who", "kube-scheduler")
      .add({call.ns, call.name, call.uid})
      .add("node", call.node)
      .add("why", error.message)
      .add("result", to_string(error.code))
      .text();
}

}  // namespace muster::engine
