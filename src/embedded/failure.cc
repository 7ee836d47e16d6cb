#include "embedded/failure.h"

namespace muster::embedded {
namespace {

Json status_base(std::string_view outcome) {
  return Json{{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", Json::object()}, {"status", outcome}};
}

}  // namespace

tl::unexpected<Failure> not_found(std::string_view what) {
  return tl::unexpected(Failure{404, "NotFound", fmt::format("{} not found", what)});
}

tl::unexpected<Failure> already_exists(std::string_view what) {
  return tl::unexpected(Failure{409, "AlreadyExists", fmt::format("{} already exists", what)});
}

tl::unexpected<Failure> conflict(std::string_view what, std::string_view why) {
  return tl::unexpected(Failure{409, "Conflict", fmt::format("{} cannot be changed: {}", what, why)});
}

tl::unexpected<Failure> expired(std::string_view why) {
  return tl::unexpected(Failure{410, "Expired", std::string(why)});
}

tl::unexpected<Failure> not_allowed(std::string_view method, std::string_view what) {
  return tl::unexpected(
      Failure{405, "MethodNotAllowed", fmt::format("{} is not served for {}", method, what)});
}

tl::unexpected<Failure> unsupported_media(std::string_view type) {
  return tl::unexpected(
      Failure{415, "UnsupportedMediaType",
              fmt::format("patches of type \"{}\" are not served; application/merge-patch+json and "
                          "application/strategic-merge-patch+json are",
                          type)});
}

Json status_object(const Failure& failure) {
  Json status = status_base("Failure");
  status["message"] = failure.message;
  status["reason"] = failure.reason;
  status["code"] = failure.code;
  return status;
}

Json success_object() { return status_base("Success"); }

}  // namespace muster::embedded
