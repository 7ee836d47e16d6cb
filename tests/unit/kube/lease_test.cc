#include "kube/lease.h"

#include <catch2/catch.hpp>
#include <chrono>

namespace muster::kube {
namespace {

const Lease kLease{"41", "host-a_1f", 15, "2026-01-31T12:00:00.000001Z", "2026-01-31T12:00:02.500000Z", 3};

TEST_CASE("a lease's paths name its group and are encoded") {
  CHECK(lease_path("ns") == "/apis/coordination.k8s.io/v1/namespaces/ns/leases");
  CHECK(lease_path("n/s", "a?b") == "/apis/coordination.k8s.io/v1/namespaces/n%2Fs/leases/a%3Fb");
}

TEST_CASE("a lease is patched on top of the version that was read, and only in its record") {
  CHECK(lease_patch(kLease) ==
        R"({"metadata":{"resourceVersion":"41"},"spec":{"acquireTime":"2026-01-31T12:00:00.000001Z",)"
        R"("holderIdentity":"host-a_1f","leaseDurationSeconds":15,"leaseTransitions":3,)"
        R"("renewTime":"2026-01-31T12:00:02.500000Z"}})");
}

TEST_CASE("what is created reads back as the same record") {
  const std::string body = lease_body("ns", "muster", kLease);
  CHECK(body.find(R"("metadata":{"name":"muster","namespace":"ns"})") != std::string::npos);
  CHECK(body.find("resourceVersion") == std::string::npos);
  const std::string stored = R"({"metadata":{"resourceVersion":"41"},)" + body.substr(body.find(R"("spec")"));
  const auto lease = decode_lease(stored);
  REQUIRE(lease);
  CHECK(lease->same_record(kLease));
  CHECK(lease->resource_version == "41");
}

TEST_CASE("a lease without a record, and one with null fields, are nobody's") {
  for (const char* text :
       {R"({"kind":"Lease","metadata":{"resourceVersion":"1"}})",
        R"({"metadata":{"resourceVersion":"1"},"spec":{"holderIdentity":null,"renewTime":null}})"}) {
    const auto lease = decode_lease(text);
    REQUIRE(lease);
    CHECK(lease->holder.empty());
    CHECK(lease->duration_seconds == 0);
  }
}

TEST_CASE("what is no lease is refused with field and value") {
  CHECK(decode_lease(R"({"kind":"Pod","metadata":{"resourceVersion":"1"}})").error().message ==
        "kind: expected Lease, got \"Pod\"");
  CHECK(decode_lease(R"({"metadata":{}})").error().message == "metadata.resourceVersion is missing");
  const auto bad = decode_lease(R"({"metadata":{"resourceVersion":"1"},"spec":{"leaseTransitions":"x"}})");
  REQUIRE_FALSE(bad);
  CHECK_THAT(bad.error().message, Catch::StartsWith("spec.leaseTransitions"));
}

TEST_CASE("records that differ in one field differ; the version does not matter") {
  Lease other = kLease;
  other.resource_version = "42";
  CHECK(kLease.same_record(other));
  const auto differs = [](auto change) {
    Lease changed = kLease;
    change(changed);
    return !kLease.same_record(changed);
  };
  CHECK(differs([](Lease& l) { l.holder = "b"; }));
  CHECK(differs([](Lease& l) { l.duration_seconds = 1; }));
  CHECK(differs([](Lease& l) { l.acquire_time = "z"; }));
  CHECK(differs([](Lease& l) { l.renew_time = "z"; }));
  CHECK(differs([](Lease& l) { l.transitions = 4; }));
}

TEST_CASE("times of a lease have six digits behind the point") {
  using std::chrono::microseconds;
  using std::chrono::system_clock;
  CHECK(format_micro_time(system_clock::time_point(microseconds(1709251199'000042))) ==
        "2024-02-29T23:59:59.000042Z");
  CHECK(format_micro_time(system_clock::time_point()) == "1970-01-01T00:00:00.000000Z");
}

}  // namespace
}  // namespace muster::kube
