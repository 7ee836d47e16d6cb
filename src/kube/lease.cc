#include "kube/lease.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "kube/decode_common.h"
#include "kube/encode.h"
#include "kube/status.h"

namespace muster::kube {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json spec_of(const Lease& lease) {
  return {{"holderIdentity", lease.holder},
          {"leaseDurationSeconds", lease.duration_seconds},
          {"acquireTime", lease.acquire_time},
          {"renewTime", lease.renew_time},
          {"leaseTransitions", lease.transitions}};
}

void read_spec(JsonReader& reader, JsonReader::Value spec, Lease& lease) {
  reader.each_field(spec, [&](std::string_view key, JsonReader::Value value) {
    if (key == "holderIdentity") {
      lease.holder = reader.text(value);
    } else if (key == "leaseDurationSeconds") {
      lease.duration_seconds = reader.integer(value);
    } else if (key == "acquireTime") {
      lease.acquire_time = reader.text(value);
    } else if (key == "renewTime") {
      lease.renew_time = reader.text(value);
    } else if (key == "leaseTransitions") {
      lease.transitions = reader.integer(value);
    }
  });
}

}  // namespace

bool Lease::same_record(const Lease& other) const {
  return holder == other.holder && duration_seconds == other.duration_seconds &&
         acquire_time == other.acquire_time && renew_time == other.renew_time &&
         transitions == other.transitions;
}

std::string lease_path(std::string_view ns, std::string_view name) {
  std::string path = fmt::format("/apis/coordination.k8s.io/v1/namespaces/{}/leases", percent_encoded(ns));
  if (!name.empty()) path += fmt::format("/{}", percent_encoded(name));
  return path;
}

std::string lease_body(std::string_view ns, std::string_view name, const Lease& lease) {
  return text_of({{"apiVersion", "coordination.k8s.io/v1"},
                  {"kind", "Lease"},
                  {"metadata", {{"namespace", ns}, {"name", name}}},
                  {"spec", spec_of(lease)}});
}

std::string lease_patch(const Lease& lease) {
  return text_of({{"metadata", {{"resourceVersion", lease.resource_version}}}, {"spec", spec_of(lease)}});
}

Result<Lease> decode_lease(std::string_view json) {
  Lease lease;
  const auto read =
      read_document(json, [&](JsonReader& reader, std::string_view key, JsonReader::Value value) {
        if (key == "kind") {
          check_kind(reader, value, "Lease");
        } else if (key == "metadata") {
          reader.each_field(value, [&](std::string_view name, JsonReader::Value field) {
            if (name == "resourceVersion") lease.resource_version = reader.text(field);
          });
        } else if (key == "spec") {
          read_spec(reader, value, lease);
        }
      });
  if (!read) return tl::unexpected(read.error());
  // Without it an update would have no precondition.
  if (lease.resource_version.empty()) return invalid("metadata.resourceVersion is missing");
  return lease;
}

std::string format_micro_time(std::chrono::system_clock::time_point time) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(micros);
  std::string text = format_time(seconds);
  text.pop_back();
  return fmt::format("{}.{:06}Z", text, (micros - seconds).count());
}

LeaseClient::LeaseClient(std::string ns, std::string name, std::shared_ptr<Credentials> credentials,
                         std::chrono::milliseconds timeout)
    : ns_(std::move(ns)), name_(std::move(name)), connections_(std::move(credentials), 1, timeout) {}

Result<std::optional<Lease>> LeaseClient::read() {
  const std::string what = fmt::format("read lease {}/{}", ns_, name_);
  const auto reply = connections_.call("GET", lease_path(ns_, name_), "", "");
  if (!reply) return fail(reply.error().code, "{}: {}", what, reply.error().message);
  if (reply->status == 404) return std::nullopt;
  if (auto error = error_of(what, *reply)) return tl::unexpected(*std::move(error));
  auto lease = decode_lease(reply->body);
  if (!lease) return fail(ErrorCode::kInternal, "{}: {}", what, lease.error().message);
  return *std::move(lease);
}

Result<Lease> LeaseClient::create(const Lease& lease) {
  return write("create", "POST", lease_path(ns_), lease_body(ns_, name_, lease), "application/json");
}

Result<Lease> LeaseClient::update(const Lease& lease) {
  return write("update", "PATCH", lease_path(ns_, name_), lease_patch(lease), "application/merge-patch+json");
}

Result<Lease> LeaseClient::write(std::string_view verb, std::string_view method, const std::string& path,
                                 const std::string& body, std::string_view content_type) {
  const std::string what = fmt::format("{} lease {}/{}", verb, ns_, name_);
  const auto reply = connections_.call(method, path, body, content_type);
  if (!reply) return fail(reply.error().code, "{}: {}", what, reply.error().message);
  if (auto error = error_of(what, *reply)) return tl::unexpected(*std::move(error));
  auto lease = decode_lease(reply->body);
  if (!lease) return fail(ErrorCode::kInternal, "{}: {}", what, lease.error().message);
  return lease;
}

}  // namespace muster::kube
