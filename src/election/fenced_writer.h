// The writes of a process that may act only while it leads. Every call asks first and is refused with
// kCancelled when it may not; nothing else stands between a process that was paused and the API.
//
// Thread rule: as kube::Writer.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "kube/api.h"

namespace muster::election {

class FencedWriter final : public kube::Writer {
 public:
  // `api` must outlive this.
  FencedWriter(kube::Writer& api, std::function<bool()> may_act) : api_(api), may_act_(std::move(may_act)) {}

  Result<void> nominate(const kube::PodRef& pod, const std::string& node, const std::string& plan) override {
    return fenced([&] { return api_.nominate(pod, node, plan); });
  }
  Result<void> release(const kube::PodRef& pod) override {
    return fenced([&] { return api_.release(pod); });
  }
  Result<void> bind(const kube::PodRef& pod, const std::string& node,
                    const kube::StringMap& annotations) override {
    return fenced([&] { return api_.bind(pod, node, annotations); });
  }
  Result<void> evict(const kube::PodRef& pod, kube::Removal how) override {
    return fenced([&] { return api_.evict(pod, how); });
  }
  Result<void> mark(const kube::PodRef& pod, const std::string& why) override {
    return fenced([&] { return api_.mark(pod, why); });
  }
  Result<void> set_ready(const kube::PodRef& pod, bool ready) override {
    return fenced([&] { return api_.set_ready(pod, ready); });
  }
  Result<void> record(const kube::EventRecord& event) override {
    return fenced([&] { return api_.record(event); });
  }
  Result<kube::Pod> get_pod(const std::string& ns, const std::string& name) override {
    return api_.get_pod(ns, name);
  }

 private:
  template <typename Write>
  Result<void> fenced(const Write& write) {
    if (!may_act_()) return fail(ErrorCode::kCancelled, "this muster-extender does not lead");
    return write();
  }

  kube::Writer& api_;
  const std::function<bool()> may_act_;
};

}  // namespace muster::election
