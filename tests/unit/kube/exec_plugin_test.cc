#include "kube/exec_plugin.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "kube/credentials.h"
#include "support/certificates.h"

namespace muster::kube {
namespace {

constexpr const char* kV1 = "client.authentication.k8s.io/v1";

ExecPlugin shell(const std::string& script) {
  return {"/bin/sh", {"-c", script}, {{"WHO", "me"}}, kV1, "Install it"};
}

std::string credential(const std::string& status) {
  return std::string(R"({"apiVersion":")") + kV1 + R"(","kind":"ExecCredential","status":{)" + status + "}}";
}

Result<ExecCredential> parsed(const std::string& status) {
  return parse_exec_credential(credential(status), kV1, 1000);
}

TEST_CASE("a plugin's token and life time are taken from what it prints") {
  const auto result = parsed(R"("token":"t","expirationTimestamp":"1970-01-01T00:20:00Z")");
  REQUIRE(result.has_value());
  CHECK(result->token == "t");
  CHECK(result->lifetime == Duration(200'000));
  CHECK_FALSE(parsed(R"("token":"t")")->lifetime.has_value());
}

TEST_CASE("a plugin may print a certificate with its key") {
  const auto result = parsed(R"("clientCertificateData":"C","clientKeyData":"K")");
  REQUIRE(result.has_value());
  CHECK(result->client_cert == "C");
  CHECK(result->client_key == "K");
}

TEST_CASE("what is no credential is refused without showing it") {
  CHECK_FALSE(parsed("").has_value());
  CHECK_FALSE(parsed(R"("clientCertificateData":"C")").has_value());
  CHECK_FALSE(parsed(R"("token":"t","expirationTimestamp":"soon")").has_value());
  CHECK(parse_exec_credential(R"({"apiVersion":"v0","status":{"token":"t"}})", kV1, 0).error().message ==
        "its apiVersion is not client.authentication.k8s.io/v1");
  CHECK(parsed(R"("token":"t","expirationTimestamp":"soon")").error().message ==
        "its expirationTimestamp is not a time such as 2026-01-31T12:00:00Z");
  const auto broken = parse_exec_credential(R"({"status":{"token":12345}})", kV1, 0);
  CHECK(broken.error().message.find("12345") == std::string::npos);
}

TEST_CASE("a plugin gets its arguments and environment and no input") {
  const auto result = run_exec_plugin(
      shell(R"(read line && exit 9; printf '{"apiVersion":"%s","status":{"token":"%s-%s"}}' )" +
            std::string(kV1) + R"( "$WHO" "$KUBERNETES_EXEC_INFO")"),
      "info");
  REQUIRE(result.has_value());
  CHECK(result->token == "me-info");
}

TEST_CASE("a plugin that is missing, fails, is killed or prints too much is named") {
  CHECK(run_exec_plugin({"/nowhere/login", {}, {}, kV1, "Install it"}, "").error().message ==
        "/nowhere/login cannot be run: No such file or directory. Install it");
  CHECK(run_exec_plugin(shell("exit 3"), "").error().message == "/bin/sh failed with status 3");
  CHECK(run_exec_plugin(shell("kill -9 $$"), "").error().message == "/bin/sh failed with signal 9");
  CHECK_FALSE(run_exec_plugin(shell("exec cat /dev/zero"), "", {}, Duration(20'000)).has_value());
}

TEST_CASE("a plugin that does not end is ended") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(run_exec_plugin(shell("exec sleep 60"), "", {}, Duration(100)).error().message ==
        "/bin/sh did not print a credential within 100 ms");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

struct TestClock final : Clock {
  [[nodiscard]] TimePoint now() const override { return time; }
  TimePoint time{};
};

TEST_CASE("a plugin is run once, again before its credential expires, and again after a rejection") {
  const auto counter =
      (std::filesystem::temp_directory_path() / ("muster-exec-" + std::to_string(::getpid()))).string();
  TestClock clock;
  Access access;
  access.server = "http://127.0.0.1:1";
  // Each run prints another token, which is good for ten hours.
  access.exec =
      shell("echo x >> " + counter + "; N=$(wc -l < " + counter +
            R"(); printf '{"apiVersion":"%s","status":{"token":"%s","expirationTimestamp":"%s"}}' )" + kV1 +
            R"( $N $(date -u -d '+10 hours' +%Y-%m-%dT%H:%M:%SZ))");
  Credentials credentials(access, clock, read_file);
  CHECK(credentials.current()->token == "1");
  clock.time += Duration(9 * 3'600'000);
  CHECK(credentials.current()->token == "1");
  clock.time += kExecPause;
  credentials.rejected("1");
  CHECK(credentials.current()->token == "2");
  clock.time += Duration(10 * 3'600'000);
  CHECK(credentials.current()->token == "3");
  std::filesystem::remove(counter);
}

TEST_CASE("connections show the certificate that a plugin printed") {
  const auto certificate = muster::test::Authority("clients").issue("me", "");
  Access access;
  access.server = "https://127.0.0.1:1";
  std::string printed = fmt::format(R"("clientCertificateData":"{}","clientKeyData":"{}")",
                                    certificate.cert_pem, certificate.key_pem);
  for (std::size_t at = 0; (at = printed.find('\n', at)) != std::string::npos;) printed.replace(at, 1, "\\n");
  access.exec = shell("printf '%s' '" + credential(printed) + "'");
  TestClock clock;
  const auto current = Credentials(access, clock, read_file).current();
  REQUIRE(current.has_value());
  CHECK(current->transport->client_cert_pem == certificate.cert_pem);
  CHECK(current->transport->client_key_pem == certificate.key_pem);
}

TEST_CASE("a credential stays in use while its plugin fails") {
  const auto flag =
      (std::filesystem::temp_directory_path() / ("muster-flag-" + std::to_string(::getpid()))).string();
  std::ofstream(flag) << "x";
  TestClock clock;
  Access access;
  access.server = "http://127.0.0.1:1";
  access.exec = shell("test -f " + flag + " && echo '" + credential(R"("token":"t")") + "'");
  Credentials credentials(access, clock, read_file);
  REQUIRE(credentials.current().has_value());
  std::filesystem::remove(flag);
  credentials.rejected("t");
  REQUIRE(credentials.current().has_value());
  CHECK(credentials.current()->token == "t");
  Credentials fresh(access, clock, read_file);
  CHECK(fresh.current().error().message == "/bin/sh failed with status 1");
}

}  // namespace
}  // namespace muster::kube
