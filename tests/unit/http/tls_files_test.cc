// What is said of certificates and keys that cannot be used.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <tuple>

#include "http/client.h"
#include "http/server.h"
#include "support/certificates.h"

namespace muster::http {
namespace {

using Catch::Matchers::Contains;
using test::Authority;
using test::Certificate;
using test::TempDir;

TEST_CASE("tls: a client's PEM texts that cannot be used are named") {
  Authority authority("test authority");
  Certificate one = authority.issue("one", "");
  Certificate two = authority.issue("two", "");
  ClientOptions options;
  options.base_url = "https://127.0.0.1:1";
  options.ca_pem = "nonsense";
  CHECK_THAT(Client::create(options).error().message, Contains("CA certificate"));
  options.ca_pem = authority.pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  CHECK_THAT(Client::create(options).error().message, Contains("CA certificate"));
  options.ca_pem.clear();
  options.client_cert_pem = one.cert_pem;
  CHECK_THAT(Client::create(options).error().message, Contains("together"));
  options.client_key_pem = "-----BEGIN nothing";
  CHECK_THAT(Client::create(options).error().message, Contains("client key"));
  options.client_key_pem = two.key_pem;
  CHECK_THAT(Client::create(options).error().message, Contains("does not belong"));
}

TEST_CASE("tls: a server's file that cannot be used is named by its key in the configuration, and told why") {
  Authority authority("test authority");
  Certificate one = authority.issue("one", "");
  Certificate two = authority.issue("two", "");
  TempDir dir;
  const std::string folder = std::filesystem::path(dir.file("x", "")).parent_path();
  const ServerTls good{dir.file("a", one.cert_pem), dir.file("b", one.key_pem),
                       dir.file("c", authority.pem())};
  const auto complaint = [](const ServerTls& tls) {
    ServerOptions options;
    options.tls = tls;
    const auto started = Server(options).start();
    return started ? std::string() : started.error().message;
  };
  CHECK(complaint(good).empty());
  const std::tuple<std::string, std::string ServerTls::*, std::string> files[] = {
      {"server.tls.certFile ", &ServerTls::cert_file, ": no usable PEM certificate: "},
      {"server.tls.keyFile ", &ServerTls::key_file, ": no usable PEM private key: "},
      {"server.tls.clientCAFile ", &ServerTls::client_ca_file, ": no usable PEM certificate: "}};
  for (const auto& [key, file, unusable] : files) {
    ServerTls tls = good;
    tls.*file = "/nowhere/file";
    CHECK(complaint(tls) == key + "/nowhere/file: No such file or directory");
    tls.*file = folder;
    CHECK(complaint(tls) == key + folder + ": Is a directory");
    for (const char* text : {"", "nonsense"}) {
      tls.*file = dir.file("text", text);
      CHECK_THAT(complaint(tls), Catch::StartsWith(key + tls.*file + unusable) && !Contains("TLS error"));
    }
  }
  const Certificate rsa = Authority("authority", test::KeyKind::kRsa2048).issue("one", "");
  for (const std::string& key : {two.key_pem, rsa.key_pem}) {
    ServerTls foreign = good;
    foreign.key_file = dir.file("d", key);
    CHECK(complaint(foreign) == "server.tls.keyFile " + foreign.key_file +
                                    " does not belong to server.tls.certFile " + good.cert_file);
  }
}

}  // namespace
}  // namespace muster::http
