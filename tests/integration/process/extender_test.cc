// muster-extender as a process: what it refuses to start with, what it logs of refusals, and how it ends.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http/client.h"
#include "http/fd.h"
#include "http/server.h"
#include "support/certificates.h"
#include "support/paths.h"
#include "support/raw_socket.h"
#include "support/soon.h"

namespace muster {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using std::chrono::steady_clock;

class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    output_.reset(ends[0]);
    const std::string program = test::binary_dir() + "/src/cmd/muster-extender";
    arguments.insert(arguments.begin(), program);
    std::vector<char*> raw;
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], 1);
      ::dup2(ends[1], 2);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execv(program.c_str(), raw.data());
      ::_exit(127);
    }
    ::close(ends[1]);
  }
  ~Process() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // What it prints until the text is in it, behind so many characters, or it ends.
  std::string output_until(const std::string& text, std::size_t behind = 0) {
    char piece[4096];
    while (text.empty() || printed_.find(text, behind) == std::string::npos) {
      pollfd entry = {output_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 60'000) <= 0) break;
      ssize_t got = ::read(output_.get(), piece, sizeof piece);
      if (got <= 0) break;
      printed_.append(piece, static_cast<std::size_t>(got));
    }
    return printed_;
  }
  uint16_t port(const std::string& marker = "serving on http://127.0.0.1:") {
    const std::string text = output_until(marker);
    const std::size_t at = text.find(marker);
    INFO(text);
    REQUIRE(at != std::string::npos);
    const std::size_t number = at + marker.size();
    return static_cast<uint16_t>(std::stoi(output_until("\n", number).substr(number)));
  }
  void signal(int number) const { ::kill(pid_, number); }
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  http::Fd output_;
  std::string printed_;
  pid_t pid_ = -1;
};

std::string configuration(const test::TempDir& dir, const std::string& server) {
  return dir.file("muster.yaml",
                  "apiVersion: muster.dev/v1alpha1\nkind: MusterConfiguration\nserver: " + server + "\n");
}

std::string cluster() { return test::source_dir() + "/manifests/demo/cluster.yaml"; }

TEST_CASE("muster-extender does not serve plain HTTP to other machines unless it is told to") {
  test::TempDir dir;
  const std::string file = configuration(dir, "{address: 0.0.0.0}");
  Process refused({"--cluster", cluster(), "--port", "0", "--config", file});
  CHECK_THAT(refused.output_until(""), Contains("server.address 0.0.0.0") && Contains("--insecure"));
  CHECK(refused.wait() == 2);

  Process told({"--cluster", cluster(), "--port", "0", "--config", file, "--insecure"});
  CHECK_THAT(told.output_until("serving on "), Contains("serving on http://0.0.0.0:"));
  told.signal(SIGTERM);
  CHECK(told.wait() == 0);
}

TEST_CASE("muster-extender takes no host name for loopback because it begins like it") {
  test::TempDir dir;
  const std::string file = configuration(dir, "{address: 127.invalid}");
  Process refused({"--cluster", cluster(), "--port", "0", "--config", file});
  CHECK_THAT(refused.output_until(""),
             Contains("server.address 127.invalid takes calls from other machines"));
  CHECK(refused.wait() == 2);
}

TEST_CASE("muster-extender does not hear other machines without a client CA unless it is told to") {
  test::Authority authority("test authority");
  test::TempDir dir;
  const test::Certificate own = authority.issue("muster", "IP:127.0.0.1");
  const std::string tls =
      "certFile: " + dir.file("tls.crt", own.cert_pem) + ", keyFile: " + dir.file("tls.key", own.key_pem);
  const std::string with_ca = tls + ", clientCAFile: " + dir.file("ca.crt", authority.pem());
  const auto run = [&](const std::string& server, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"--cluster", cluster(),  "--port",
                                       "0",         "--config", configuration(dir, server)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Process(arguments).output_until("serving on https://");
  };
  CHECK_THAT(run("{address: 0.0.0.0, tls: {" + tls + "}}"),
             !Contains("serving on") && Contains("server.address 0.0.0.0") &&
                 Contains("server.tls.clientCAFile") && Contains("--insecure"));
  CHECK_THAT(run("{address: 0.0.0.0, tls: {" + tls + "}}", {"--insecure"}), Contains("serving on"));
  CHECK_THAT(run("{address: 0.0.0.0, tls: {" + with_ca + "}}"), Contains("serving on"));
  CHECK_THAT(run("{tls: {" + tls + "}}"), Contains("serving on"));
}

TEST_CASE("muster-extender keeps to the body limit, the client CA and the names of its configuration") {
  test::Authority authority("test authority");
  test::TempDir dir;
  const test::Certificate own = authority.issue("muster", "IP:127.0.0.1");
  const std::string tls =
      "certFile: " + dir.file("tls.crt", own.cert_pem) + ", keyFile: " + dir.file("tls.key", own.key_pem) +
      ", clientCAFile: " + dir.file("ca.crt", authority.pem()) + ", clientNames: [kube-scheduler]";
  const std::string file = configuration(dir, "{maxBodyBytes: 1000000, tls: {" + tls + "}}");
  Process process({"--cluster", cluster(), "--port", "0", "--config", file});
  http::ClientOptions options;
  options.base_url = "https://127.0.0.1:" + std::to_string(process.port("serving on https://127.0.0.1:"));
  options.ca_pem = authority.pem();
  const auto status_for = [&](const test::Certificate& shown, std::size_t body) {
    options.client_cert_pem = shown.cert_pem;
    options.client_key_pem = shown.key_pem;
    const auto reply = http::Client::create(options).value()->call(
        "POST", "/filter", {}, std::string(body, ' '), "application/json");
    return reply ? reply->status : 0;
  };
  CHECK(status_for(authority.issue("kube-scheduler", ""), 1'000'000) == 400);
  CHECK(status_for(authority.issue("kube-scheduler", ""), 1'000'001) == 413);
  CHECK(status_for(authority.issue("somebody", ""), 10) == 0);
  CHECK(status_for({}, 10) == 0);
}

TEST_CASE("muster-extender ends with status 0 at SIGTERM, at once when nothing is under way") {
  Process process({"--cluster", cluster(), "--port", "0"});
  test::RawSocket idle(process.port());
  CHECK(idle.connected());
  const auto begin = steady_clock::now();
  process.signal(SIGTERM);
  CHECK(process.wait() == 0);
  CHECK(steady_clock::now() - begin < 20s);  // connections live for 120 s
}

TEST_CASE("muster-extender answers a call that is under way at SIGTERM before it ends") {
  Process process({"--cluster", cluster(), "--port", "0"});
  test::RawSocket slow(process.port());
  slow.send("POST /filter HTTP/1.1\r\nContent-Length: 10\r\n\r\n{");
  std::this_thread::sleep_for(300ms);
  process.signal(SIGTERM);
  CHECK_THAT(process.output_until("shutting down"), Contains("shutting down"));
  std::this_thread::sleep_for(500ms);  // by now it would be cut, were it not waited for
  slow.send("123456789");
  CHECK_THAT(slow.receive_until("}"), Contains("HTTP/1.1 400"));
  CHECK(process.wait() == 0);
}

TEST_CASE("muster-extender waits for calls under way at the first SIGTERM and for nothing at the second") {
  Process process({"--cluster", cluster(), "--port", "0"});
  test::RawSocket slow(process.port());
  slow.send("POST /bind HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  std::this_thread::sleep_for(300ms);
  process.signal(SIGTERM);
  CHECK_THAT(process.output_until("shutting down"), Contains("shutting down"));
  process.signal(SIGTERM);
  CHECK(process.wait() == 1);
}

std::string call(uint16_t port, const std::string& method, const std::string& path,
                 const std::string& body = {}) {
  test::RawSocket socket(port);
  socket.send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
              "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  return socket.receive_all();
}

test::RawSocket bind_call(uint16_t port, const std::string& pod) {
  const std::string body =
      R"({"PodName":")" + pod + R"(","PodNamespace":"default","PodUID":")" + pod + R"(","Node":"node"})";
  test::RawSocket caller(port);
  caller.send("POST /bind HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  return caller;
}

TEST_CASE("muster-extender takes part in an election when the command line says so, or the configuration") {
  const auto has_lease = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--cluster", cluster(), "--port", "0"});
    Process process(std::move(arguments));
    const uint16_t api = process.port("API on http://127.0.0.1:");
    const uint16_t port = process.port();
    REQUIRE(test::soon([&] { return call(port, "GET", "/readyz").find(" 200 ") != std::string::npos; }));
    const std::string lease = "/apis/coordination.k8s.io/v1/namespaces/muster-system/leases/muster-extender";
    return call(api, "GET", lease).find(" 200 ") != std::string::npos;
  };
  test::TempDir dir;
  const std::string enabled = dir.file("elected.yaml",
                                       "apiVersion: muster.dev/v1alpha1\nkind: MusterConfiguration\n"
                                       "leaderElection: {enabled: true}\n");
  CHECK(has_lease({"--leader-elect"}));
  CHECK(has_lease({"--config", enabled}));
  CHECK_FALSE(has_lease({}));
}

std::size_t count_of(const std::string& part, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE(
    "muster-extender logs a refusal once, however often it is asked, and its count when the pod is gone, at "
    "every level of the log") {
  const std::string level = GENERATE("debug", "info", "warning", "error");
  test::TempDir dir;
  const std::string file = dir.file("muster.yaml",
                                    "apiVersion: muster.dev/v1alpha1\nkind: MusterConfiguration\n"
                                    "logging: {level: " +
                                        level + "}\n");
  Process process({"--cluster", cluster(), "--port", "0", "--config", file});
  const uint16_t api = process.port("API on http://127.0.0.1:");
  const uint16_t port = process.port("serving on http://127.0.0.1:");
  const std::string pods = "/api/v1/namespaces/default/pods";
  const std::string pod =
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"default","annotations":)"
      R"({"muster.dev/group-name":"g","muster.dev/min-member":"2"}},)"
      R"("spec":{"schedulerName":"muster","containers":[{"name":"c","image":"i"}]}})";
  const std::string made = call(api, "POST", pods, pod);
  const std::string marker = R"("uid":")";
  const std::size_t uid = made.find(marker);
  INFO(made);
  REQUIRE(uid != std::string::npos);
  std::string asked = pod;
  asked.insert(asked.find(R"("name":"p")"),
               made.substr(uid, made.find('"', uid + marker.size()) + 1 - uid) + ",");
  const auto refused = [&] {
    const std::string reply = call(port, "POST", "/filter", R"({"Pod":)" + asked + R"(,"NodeNames":["n"]})");
    return reply.find("is gathering") != std::string::npos;
  };
  REQUIRE(test::soon(refused));
  for (int i = 0; i < 3; ++i) CHECK(refused());
  call(api, "DELETE", pods + "/p");
  const std::string log = process.output_until(R"("repeated":3)");
  CHECK_THAT(log, Contains(R"("repeated":3)"));
  CHECK(count_of(R"("verb":"filter","why":"muster: group default/g is gathering)", log) == 2);
  CHECK((log.find(" info API server ") != std::string::npos) == (level == "debug" || level == "info"));
}

std::string member(const std::string& name, const std::string& group, int minimum) {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default","name":")" + name +
         R"(","uid":")" + name + R"(","annotations":{"muster.dev/group-name":")" + group +
         R"(","muster.dev/min-member":")" + std::to_string(minimum) +
         R"("}},"spec":{"schedulerName":"muster","containers":[{"name":"c","image":"i"}]}})";
}

TEST_CASE("muster-extender at SIGTERM has an open barrier's bindings posted and tells who still waits") {
  constexpr int kWhole = 6;
  std::map<std::string, std::string> members;
  for (const char* name : {"waits-0", "waits-1"}) members[name] = member(name, "waits", 2);
  for (int i = 0; i < kWhole; ++i) {
    const std::string name = "whole-" + std::to_string(i);
    members[name] = member(name, "whole", kWhole);
  }
  std::string objects =
      "{apiVersion: v1, kind: Node, metadata: {name: node}, status: "
      "{allocatable: {pods: \"110\"}, conditions: [{type: Ready, status: \"True\"}]}}";
  for (const auto& [name, pod] : members) objects += "\n---\n" + pod;
  test::TempDir dir;
  // A tenth of a second for each write: when the first caller is answered, bindings are still to be posted.
  Process process({"--cluster", dir.file("cluster.yaml", objects), "--port", "0", "--config",
                   configuration(dir, "{}\nkubernetes: {qps: 10, burst: 1}")});
  const uint16_t api = process.port("API on http://127.0.0.1:");
  const uint16_t port = process.port();
  for (const auto& [name, pod] : members) {
    const std::string path = "/api/v1/namespaces/default/pods/" + name;
    const std::string asked = R"({"Pod":)" + pod + R"(,"NodeNames":["node"]})";
    REQUIRE(test::soon([&] {
      return call(api, "GET", path).find("muster.dev/hold") == std::string::npos &&
             call(port, "POST", "/filter", asked).find(R"("NodeNames":["node"])") != std::string::npos;
    }));
  }

  test::RawSocket waiting = bind_call(port, "waits-0");
  REQUIRE(test::soon([&] {
    return call(port, "GET", "/metrics").find("\nmuster_bind_calls_waiting 1\n") != std::string::npos;
  }));
  std::vector<test::RawSocket> callers;
  for (int i = 0; i < kWhole; ++i) callers.push_back(bind_call(port, "whole-" + std::to_string(i)));
  const auto answered = [](test::RawSocket& caller) { return !caller.receive_until("}", 2ms).empty(); };
  REQUIRE(test::soon([&] { return std::any_of(callers.begin(), callers.end(), answered); }));
  process.signal(SIGTERM);
  for (test::RawSocket& caller : callers) CHECK_THAT(caller.receive_until("}"), Contains(R"({"Error":""})"));
  CHECK_THAT(waiting.receive_until("}"), Contains(R"({"Error":"muster: shutting down"})"));
  CHECK(process.wait() == 0);
}

// An API server with a node and a pod that takes writes and never answers them.
class HangingApi {
 public:
  HangingApi() {
    server_.route("GET", "/api/v1/nodes", [this](const http::Request&) {
      return watch(R"("kind":"Node","metadata":{"name":"node","uid":"node","resourceVersion":"1"})");
    });
    server_.route("GET", "/api/v1/pods", [this](const http::Request&) {
      return watch(
          R"("kind":"Pod","metadata":{"name":"p","namespace":"default","uid":"p","resourceVersion":"1"})");
    });
    server_.route("POST", "/api/*", [this](const http::Request&) {
      ++writes;
      ended_.wait();
      return http::Response();
    });
    port_ = server_.start().value();
  }
  ~HangingApi() { ended_.count_down(); }

  [[nodiscard]] std::string kubeconfig(const test::TempDir& dir) const {
    return dir.file("kubeconfig",
                    "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: "
                    "{cluster: c, user: u}}], users: [{name: u, user: {}}], clusters: [{name: c, cluster: "
                    "{server: 'http://127.0.0.1:" +
                        std::to_string(port_) + "'}}]}");
  }

  std::atomic<int> writes = 0;

 private:
  http::Response watch(const std::string& object) {
    http::Response response;
    response.stream = [this, object](const http::Sink& sink) {
      sink(R"({"type":"ADDED","object":{)" + object + "}}\n");
      sink(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1","annotations":)"
           R"({"k8s.io/initial-events-end":"true"}}}})"
           "\n");
      while (!server_.stopping() && sink("")) std::this_thread::sleep_for(20ms);
    };
    return response;
  }

  std::latch ended_{1};
  http::Server server_{http::ServerOptions{}};
  uint16_t port_ = 0;
};

TEST_CASE("muster-extender ends well within 30 s of SIGTERM though a write and a caller hang") {
  HangingApi api;
  test::TempDir dir;
  Process process({"--kubeconfig", api.kubeconfig(dir), "--port", "0"});
  const uint16_t port = process.port();
  REQUIRE(test::soon([&] { return call(port, "GET", "/readyz").find("200 OK") != std::string::npos; }));
  test::RawSocket waiting = bind_call(port, "p");
  REQUIRE(test::soon([&] { return api.writes == 1; }));
  test::RawSocket slow(port);
  slow.send("POST /filter HTTP/1.1\r\nContent-Length: 10\r\n\r\n{");
  const auto begin = steady_clock::now();
  process.signal(SIGTERM);
  CHECK_THAT(waiting.receive_until("}"), Contains("200 OK") && !Contains(R"("Error":"")"));
  CHECK(process.wait() == 0);
  const auto took = steady_clock::now() - begin;
  CHECK(took >= 15s);
  CHECK(took < 25s);
}

}  // namespace
}  // namespace muster
