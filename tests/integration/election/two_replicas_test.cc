// Two replicas that share a lease of an API server over loopback: who leads, who takes over when, and whose
// writes reach the server. Clocks, sockets and threads are real; what is asked of the time holds however busy
// the machine is, since it follows from the rules and not from how quick somebody is.
#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "base/boot_clock.h"
#include "election/candidate.h"
#include "election/fenced_writer.h"
#include "embedded/server.h"
#include "http/client.h"
#include "http/server.h"
#include "kube/client.h"
#include "kube/credentials.h"
#include "kube/lease.h"
#include "support/soon.h"

namespace muster::election {
namespace {

using namespace std::chrono_literals;
using test::soon;

// A lease that nobody waits out in these tests, and one that is waited out.
constexpr Duration kLong = 60s;
constexpr Duration kShort = 3s;

// In the proportions of the default settings.
Settings named(const std::string& identity, Duration lease_duration) {
  Settings settings;
  settings.identity = identity;
  settings.lease_duration = lease_duration;
  settings.renew_deadline = lease_duration * 2 / 3;
  settings.retry_period = 100ms;
  return settings;
}

std::unique_ptr<http::Client> user_of(const std::string& url) {
  http::ClientOptions options;
  options.base_url = url;
  return *http::Client::create(options);
}

// An API server with one pod that replicas write to.
struct Api {
  embedded::ApiServer server{embedded::ApiServerOptions{}};
  std::string url = *server.start();

  Api() {
    const auto made = user_of(url)->call("POST", "/api/v1/namespaces/default/pods", {},
                                         R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}})",
                                         "application/json");
    REQUIRE(made);
    REQUIRE(made->status == 201);
  }
};

// Stands in front of the API server's leases and passes calls on, or refuses them.
class Gate {
 public:
  explicit Gate(std::string api) : api_(std::move(api)) {
    for (const char* method : {"GET", "POST", "PATCH"})
      server_.route(method, "/apis/*", [this](const http::Request& request) { return answer(request); });
    const auto port = server_.start();
    REQUIRE(port);
    url = fmt::format("http://127.0.0.1:{}", *port);
  }

  std::string url;
  std::atomic<bool> refuses = false;

 private:
  [[nodiscard]] http::Response answer(const http::Request& request) const {
    http::Response response;
    response.status = 403;
    if (refuses) return response;
    const auto reply =
        user_of(api_)->call(request.method, request.path, {}, request.body, request.header("Content-Type"));
    response.status = reply ? reply->status : 502;
    if (reply) response.body = reply->body;
    return response;
  }

  const std::string api_;
  http::Server server_{http::ServerOptions{}};
};

// What election needs of a muster-extender, put together as the program does it.
class Replica {
 public:
  Replica(const std::string& name, Duration lease_duration, const Api& api, const std::string& lease_url)
      : settings_(named(name, lease_duration)),
        leases_("muster", "muster-extender", credentials(lease_url), settings_.renew_deadline / 4),
        client_(kube::ClientOptions{}, credentials(api.url), clock_),
        candidate_(
            settings_, leases_, clock_, [] { return 0.5; }, callbacks()),
        fence_(client_, [this] { return candidate_.acting(); }) {
    candidate_.start();
  }
  Replica(const std::string& name, Duration lease_duration, const Api& api)
      : Replica(name, lease_duration, api, api.url) {}

  [[nodiscard]] bool acting() const { return candidate_.acting(); }
  [[nodiscard]] std::string standing() const { return candidate_.standing(); }
  [[nodiscard]] int elected() const { return elected_; }
  [[nodiscard]] int lost() const { return lost_; }

  void end_in_peace() { candidate_.stop(); }
  // No call of its any more reaches the server, and its thread ends.
  void die() {
    leases_.stop();
    candidate_.stop();
  }

  // Writes the pod's node through the fence.
  [[nodiscard]] Result<void> nominate(const std::string& node) {
    return fence_.nominate({"default", "p", client_.get_pod("default", "p")->uid}, node, "plan");
  }
  [[nodiscard]] bool is_refused(const std::string& node) {
    const Result<void> written = nominate(node);
    return !written && written.error().code == ErrorCode::kCancelled;
  }
  // As the server has it, past the fence.
  [[nodiscard]] std::string nominated() { return client_.get_pod("default", "p")->nominated_node; }

 private:
  [[nodiscard]] std::shared_ptr<kube::Credentials> credentials(const std::string& url) const {
    kube::Access access;
    access.server = url;
    return std::make_shared<kube::Credentials>(access, clock_, kube::read_file);
  }
  [[nodiscard]] Callbacks callbacks() {
    Callbacks callbacks;
    callbacks.on_elected = [this] { ++elected_; };
    callbacks.on_lost = [this] { ++lost_; };
    return callbacks;
  }

  const BootClock clock_;
  const Settings settings_;
  std::atomic<int> elected_ = 0;
  std::atomic<int> lost_ = 0;
  kube::LeaseClient leases_;
  kube::Client client_;
  Candidate candidate_;
  FencedWriter fence_;
};

TEST_CASE("election: of two replicas one leads and writes, the other stands by and may not write") {
  const Api api;
  Replica a("a", kLong, api);
  REQUIRE(soon([&] { return a.elected() == 1; }));
  Replica b("b", kLong, api);
  REQUIRE(soon([&] { return b.standing() == "standby: a leads"; }));
  CHECK(a.acting());
  CHECK_FALSE(b.acting());
  CHECK(a.nominate("n1"));
  CHECK(b.is_refused("n2"));
  CHECK(b.nominated() == "n1");
  CHECK(b.elected() == 0);
}

TEST_CASE("election: who ends in peace hands over, and the other leads long before the lease would run out") {
  const Api api;
  Replica a("a", kLong, api);
  REQUIRE(soon([&] { return a.elected() == 1; }));
  Replica b("b", kLong, api);
  REQUIRE(soon([&] { return b.standing() == "standby: a leads"; }));
  a.end_in_peace();
  CHECK_FALSE(a.acting());
  REQUIRE(soon([&] { return b.elected() == 1; }));
  CHECK(a.is_refused("n1"));
  CHECK(b.nominate("n2"));
  CHECK(b.nominated() == "n2");
  CHECK(a.lost() == 0);
}

TEST_CASE("election: when the leader dies the other leads after the lease has run out, and not before") {
  const Api api;
  Replica a("a", kShort, api);
  REQUIRE(soon([&] { return a.elected() == 1; }));
  Replica b("b", kShort, api);
  REQUIRE(soon([&] { return b.standing() == "standby: a leads"; }));
  const BootClock clock;
  const TimePoint death = clock.now();
  REQUIRE(a.acting());
  a.die();
  CHECK_FALSE(a.acting());
  REQUIRE(soon([&] { return b.acting(); }));
  // It acted when it died, so its last renewal was less than a renew deadline old.
  CHECK(clock.now() - death > kShort - named("a", kShort).renew_deadline);
  CHECK(b.nominate("n2"));
  CHECK(b.nominated() == "n2");
}

TEST_CASE("election: a leader whose renewals are refused stops writing before the other leads") {
  const Api api;
  Gate gate(api.url);
  Replica a("a", kShort, api, gate.url);
  REQUIRE(soon([&] { return a.elected() == 1; }));
  Replica b("b", kShort, api);
  REQUIRE(soon([&] { return b.standing() == "standby: a leads"; }));
  REQUIRE(a.nominate("n1"));

  gate.refuses = true;
  const BootClock clock;
  const TimePoint refused = clock.now();
  const Duration deadline = named("a", kShort).renew_deadline;
  REQUIRE(soon([&] { return clock.now() >= refused + deadline; }));
  CHECK_FALSE(a.acting());
  CHECK(a.standing() == "the lease was not renewed in time");
  CHECK(a.is_refused("n2"));
  CHECK(a.nominated() == "n1");
  CHECK(soon([&] { return a.lost() == 1; }));

  REQUIRE(soon([&] { return b.acting(); }));
  CHECK_FALSE(a.acting());
  CHECK(b.nominate("n3"));
  CHECK(a.nominated() == "n3");
}

}  // namespace
}  // namespace muster::election
