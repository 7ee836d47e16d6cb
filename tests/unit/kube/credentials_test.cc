#include "kube/credentials.h"

#include <catch2/catch.hpp>
#include <map>

#include "support/certificates.h"

namespace muster::kube {
namespace {

struct TestClock final : Clock {
  [[nodiscard]] TimePoint now() const override { return time; }
  TimePoint time{};
};

struct Files {
  std::map<std::string, std::string> content;
  int reads = 0;
  std::function<Result<std::string>(const std::string&)> reader() {
    return [this](const std::string& path) -> Result<std::string> {
      ++reads;
      const auto it = content.find(path);
      if (it == content.end()) return invalid("{} cannot be read", path);
      return it->second;
    };
  }
};

Access with_token_file() {
  Access access;
  access.server = "http://127.0.0.1:1";
  access.token.file = "/token";
  return access;
}

TEST_CASE("a token file is read again after a minute and not before") {
  TestClock clock;
  Files files{{{"/token", "one\n"}}};
  Credentials credentials(with_token_file(), clock, files.reader());
  CHECK(credentials.current()->token == "one");
  files.content["/token"] = "two";
  clock.time += Duration(59'999);
  CHECK(credentials.current()->token == "one");
  CHECK(files.reads == 1);
  clock.time += Duration(1);
  CHECK(credentials.current()->token == "two");
}

TEST_CASE("a rejected token is read again at once, an older one is no reason to") {
  TestClock clock;
  Files files{{{"/token", "one"}}};
  Credentials credentials(with_token_file(), clock, files.reader());
  CHECK(credentials.current()->token == "one");
  files.content["/token"] = "two";
  credentials.rejected("zero");
  CHECK(credentials.current()->token == "one");
  credentials.rejected("one");
  CHECK(credentials.current()->token == "two");
}

TEST_CASE("a token stays in use while its file cannot be read or is empty") {
  TestClock clock;
  Files files{{{"/token", "one"}}};
  Credentials credentials(with_token_file(), clock, files.reader());
  REQUIRE(credentials.current().has_value());
  for (const bool there : {false, true}) {
    files.content.clear();
    if (there) files.content["/token"] = "\n";
    clock.time += Duration(60'000);
    const auto current = credentials.current();
    REQUIRE(current.has_value());
    CHECK(current->token == "one");
  }
}

TEST_CASE("without a token that was ever read there are no credentials") {
  TestClock clock;
  Files files;
  Credentials credentials(with_token_file(), clock, files.reader());
  CHECK(credentials.current().error().message == "/token cannot be read");
  CHECK(credentials.current().error().code == ErrorCode::kInvalid);
  files.content["/token"] = "late";
  CHECK(credentials.current()->token == "late");
}

TEST_CASE("a CA that is no certificate is refused at once") {
  TestClock clock;
  Access access;
  access.server = "https://127.0.0.1:1";
  access.ca.value = "not a certificate";
  Credentials credentials(access, clock, Files{}.reader());
  CHECK(credentials.current().error().message.find("CA certificate") != std::string::npos);
}

TEST_CASE("connections are kept while the certificates stay the same") {
  TestClock clock;
  Files files{{{"/token", "one"}}};
  Credentials credentials(with_token_file(), clock, files.reader());
  const auto before = credentials.current();
  files.content["/token"] = "two";
  clock.time += Duration(60'000);
  CHECK(credentials.current()->transport == before->transport);
}

TEST_CASE("connections are made anew when the CA is another one") {
  TestClock clock;
  Files files{{{"/ca", muster::test::Authority("one").pem()}}};
  Access access;
  access.server = "https://127.0.0.1:1";
  access.ca.file = "/ca";
  Credentials credentials(access, clock, files.reader());
  const auto before = credentials.current();
  files.content["/ca"] = muster::test::Authority("two").pem();
  clock.time += Duration(60'000);
  const auto after = credentials.current();
  CHECK(after->transport != before->transport);
  CHECK(after->transport->ca_pem == files.content["/ca"]);
}

TEST_CASE("of a token and a token file the file counts") {
  TestClock clock;
  Files files{{{"/token", "of the file"}}};
  Access access = with_token_file();
  access.token.value = "of the text";
  CHECK(Credentials(access, clock, files.reader()).current()->token == "of the file");
}

TEST_CASE("connections know the server's address, its name in TLS and whether to check it") {
  TestClock clock;
  Access access;
  access.server = "https://127.0.0.1:1";
  access.tls_server_name = "kubernetes.default";
  access.insecure_skip_verify = true;
  const auto transport = Credentials(access, clock, Files{}.reader()).current()->transport;
  CHECK(transport->base_url == "https://127.0.0.1:1");
  CHECK(transport->server_name == "kubernetes.default");
  CHECK(transport->insecure_skip_verify);
  access.insecure_skip_verify = false;
  CHECK_FALSE(Credentials(access, clock, Files{}.reader()).current()->transport->insecure_skip_verify);
}

}  // namespace
}  // namespace muster::kube
