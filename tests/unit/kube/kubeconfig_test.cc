#include "kube/kubeconfig.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "kube/base64.h"

namespace muster::kube {
namespace {

// Surroundings made of two maps.
struct World {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> variables;
  std::string forbidden{};  // a file that is there and may not be read

  [[nodiscard]] Environment environment() const {
    Environment environment;
    environment.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto it = variables.find(name);
      if (it == variables.end()) return std::nullopt;
      return it->second;
    };
    environment.read_file = [this](const std::string& path) -> Result<std::string> {
      if (path == forbidden) return invalid("{} cannot be read: Permission denied", path);
      const auto it = files.find(path);
      if (it == files.end()) return invalid("{} cannot be read: No such file or directory", path);
      return it->second;
    };
    environment.exists = [this](const std::string& path) {
      return path == forbidden || files.count(path) > 0;
    };
    environment.service_account_directory = "/sa";
    return environment;
  }
};

std::string config(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: main\n"
         "contexts: [{name: main, context: {cluster: c, user: u, namespace: team}}]\n"
         "clusters: [{name: c, cluster: {" +
         cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n";
}

Result<Access> access_of(const std::string& cluster, const std::string& user) {
  const World world{{{"/home/a/.kube/config", config(cluster, user)}}, {}};
  return find_access("/home/a/.kube/config", world.environment());
}

std::string error_of(const std::string& cluster, const std::string& user) {
  const auto access = access_of(cluster, user);
  if (access) return "";
  CHECK(access.error().code == ErrorCode::kInvalid);
  return access.error().message;
}

TEST_CASE("the current context chooses cluster, user and namespace") {
  const auto access = access_of("server: 'https://10.0.0.1:6443', tls-server-name: kube", "token: secret");
  REQUIRE(access.has_value());
  CHECK(access->server == "https://10.0.0.1:6443");
  CHECK(access->tls_server_name == "kube");
  CHECK(access->token.value == "secret");
  CHECK(access->ns == "team");
  CHECK(access->found == "context main of /home/a/.kube/config");
}

TEST_CASE("inline data is decoded and wins over the file") {
  const auto access =
      access_of("server: 'https://s', certificate-authority-data: Q0E=, certificate-authority: ca.pem",
                "client-certificate-data: Q0VSVA==, client-key-data: S0VZ");
  REQUIRE(access.has_value());
  CHECK(access->ca.value == "CA");
  CHECK(access->client_cert.value == "CERT");
  CHECK(access->client_key.value == "KEY");
}

TEST_CASE("relative paths count from the kubeconfig's folder") {
  const auto access =
      access_of("server: 'https://s', certificate-authority: pki/ca.pem",
                "tokenFile: ../token, client-certificate: /etc/cert.pem, client-key: key.pem");
  REQUIRE(access.has_value());
  CHECK(access->ca.file == "/home/a/.kube/pki/ca.pem");
  CHECK(access->token.file == "/home/a/.kube/../token");
  CHECK(access->client_cert.file == "/etc/cert.pem");
  CHECK(access->client_key.file == "/home/a/.kube/key.pem");
}

TEST_CASE("of several files the first mention of a name wins and missing files are left out") {
  World world;
  world.variables["KUBECONFIG"] = "/missing:/a/config::/b/config";
  world.files["/a/config"] = "users: [{name: u, user: {token: first}}]\n";
  world.files["/b/config"] = config("server: 'https://b', certificate-authority: ca.pem", "token: second");
  const auto access = find_access("", world.environment());
  REQUIRE(access.has_value());
  CHECK(access->token.value == "first");
  CHECK(access->server == "https://b");
  CHECK(access->ca.file == "/b/ca.pem");
  CHECK(access->found == "context main of /b/config");
}

TEST_CASE("of several files one that is there and cannot be read is an error and not left out") {
  World world;
  world.variables["KUBECONFIG"] = "/prod/config:/dev/config";
  world.files["/dev/config"] = config("server: 'https://dev'", "token: t");
  world.forbidden = "/prod/config";
  const auto access = find_access("", world.environment());
  REQUIRE_FALSE(access.has_value());
  CHECK(access.error().code == ErrorCode::kInvalid);
  CHECK(access.error().message == "/prod/config cannot be read: Permission denied");
}

TEST_CASE("when none of several files exists the first is named") {
  World world;
  world.variables["KUBECONFIG"] = "/a/config:/b/config";
  const auto access = find_access("", world.environment());
  REQUIRE_FALSE(access.has_value());
  CHECK(access.error().code == ErrorCode::kInvalid);
  CHECK(access.error().message == "/a/config cannot be read: No such file or directory");
}

TEST_CASE("the first current-context of several files wins") {
  World world;
  world.variables["KUBECONFIG"] = "/a/config:/b/config";
  world.files["/a/config"] =
      "current-context: other\ncontexts: [{name: other, context: {cluster: c, user: u, namespace: first}}]\n";
  world.files["/b/config"] = config("server: 'https://b'", "token: t");
  const auto access = find_access("", world.environment());
  REQUIRE(access.has_value());
  CHECK(access->ns == "first");
  CHECK(access->found == "context other of /a/config");
}

TEST_CASE("a kubeconfig may ask for no verification of the server") {
  CHECK(access_of("server: 'https://s', insecure-skip-tls-verify: true", "token: t")->insecure_skip_verify);
  CHECK_FALSE(access_of("server: 'https://s'", "token: t")->insecure_skip_verify);
}

TEST_CASE("a kubeconfig may be JSON") {
  const World world{
      {{"f", R"({"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],
                 "clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:8080"}}],"users":[{"name":"u","user":{}}]})"}},
      {}};
  const auto access = find_access("f", world.environment());
  REQUIRE(access.has_value());
  CHECK(access->server == "http://127.0.0.1:8080");
  CHECK(access->token.empty());
}

TEST_CASE("an exec plugin is read with arguments and environment") {
  const std::string exec =
      "exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/login, args: [get, token], "
      "env: [{name: PROFILE, value: prod}], interactiveMode: IfAvailable, provideClusterInfo: true, "
      "installHint: Ask your admin}";
  const auto access = access_of("server: 'https://s'", exec);
  REQUIRE(access.has_value());
  REQUIRE(access->exec.has_value());
  CHECK(*access->exec == ExecPlugin{"/home/a/.kube/bin/login",
                                    {"get", "token"},
                                    {{"PROFILE", "prod"}},
                                    "client.authentication.k8s.io/v1",
                                    "Ask your admin"});
  CHECK_FALSE(access_of("server: 'https://s'", "token: t, " + exec)->exec.has_value());
}

TEST_CASE("an exec plugin that cannot be used is refused with the reason") {
  const auto error = [](const std::string& exec) {
    return error_of("server: 'https://s'", "exec: {" + exec + "}");
  };
  CHECK(error("command: aws") ==
        "/home/a/.kube/config: users[0].user.exec: apiVersion \"\" is not supported; known are "
        "client.authentication.k8s.io/v1 and v1beta1");
  CHECK(error("apiVersion: client.authentication.k8s.io/v1") ==
        "/home/a/.kube/config: users[0].user.exec: command is missing");
  CHECK(error("apiVersion: client.authentication.k8s.io/v1, command: a, interactiveMode: Always")
            .find("interactiveMode: Always is not supported") != std::string::npos);
}

TEST_CASE("old plugins, basic authentication, impersonation and proxies are refused by name") {
  const std::string server = "server: 'https://s'";
  CHECK(
      error_of(server, "auth-provider: {name: oidc}") ==
      "/home/a/.kube/config: user \"u\": auth-provider is not supported; use a token, a token file, a client "
      "certificate or exec");
  CHECK(error_of(server, "username: a, password: b").find("username is not supported") != std::string::npos);
  CHECK(error_of(server, "as: admin").find("as is not supported") != std::string::npos);
  CHECK(error_of("server: 'https://s', proxy-url: 'http://p'", "token: t") ==
        "/home/a/.kube/config: cluster \"c\": proxy-url is not supported");
}

TEST_CASE("what is missing or contradicts itself is named") {
  CHECK(error_of("", "token: t") == "/home/a/.kube/config: cluster \"c\": server is missing");
  CHECK(error_of("server: 'https://s', insecure-skip-tls-verify: true, certificate-authority: f", "token: t")
            .find("exclude each other") != std::string::npos);
  CHECK(error_of("server: 'https://s'", "client-certificate: f").find("must be given together") !=
        std::string::npos);
  CHECK(error_of("server: 5", "token: t") ==
        "/home/a/.kube/config: clusters[0].cluster.server: expected a text, got a number");
}

TEST_CASE("bad base64 is refused without showing what may be a key") {
  const std::string error =
      error_of("server: 'https://s'", "client-certificate-data: Q0VSVA==, client-key-data: 'top*secret'");
  CHECK(error == "/home/a/.kube/config: users[0].user.client-key-data: not base64");
}

TEST_CASE("a secret that YAML takes for no text is named by its field and not shown") {
  const auto user = [](const std::string& field) { return error_of("server: 'https://s'", field); };
  const std::string users = "/home/a/.kube/config: users[0].user.";
  CHECK(user("token: 1234567890") == users + "token: expected a text, got a number");
  CHECK(user("client-key-data: 12345") == users + "client-key-data: expected a text, got a number");
  CHECK(user("token: true") == users + "token: expected a text, got true or false");
  CHECK(user("exec: {env: [{name: PIN, value: 4711}]}") ==
        users + "exec.env[0].value: expected a text, got a number");
  CHECK(user("exec: {args: [4711]}") == users + "exec.args[0]: expected a text, got a number");
  CHECK(user("exec: 4711") == users + "exec: expected an object, got a number");
}

TEST_CASE("a secret that is malformed YAML is not shown") {
  for (const char* token :
       {"!s3cret", "*s3cret", "!!int s3cret", "'s3cret", "{s3cret: a, s3cret: b", "\"\\s3cret\""}) {
    CAPTURE(token);
    const std::string error = error_of("server: 'https://s'", std::string("token: ") + token);
    CHECK(error.find("s3cret") == std::string::npos);
  }
}

TEST_CASE("names that lead nowhere are named") {
  World world;
  world.files["f"] = "clusters: []\n";
  CHECK(find_access("f", world.environment()).error().message == "f: current-context is missing");
  world.files["f"] = "current-context: x\n";
  CHECK(find_access("f", world.environment()).error().message ==
        "f: current-context names the context \"x\", which does not exist");
  world.files["f"] = "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n";
  CHECK(find_access("f", world.environment()).error().message ==
        "f: context \"x\" names the cluster \"c\", which does not exist");
  CHECK(find_access("nowhere", world.environment()).error().message.find("nowhere cannot be read") == 0);
  world.files["f"] = "a: [1\n";
  CHECK(find_access("f", world.environment()).error().message.find("f:") == 0);
}

TEST_CASE("without a kubeconfig the pod's service account is used") {
  World world;
  world.variables = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  world.files = {{"/sa/token", "t"}, {"/sa/ca.crt", "c"}, {"/sa/namespace", "muster-system\n"}};
  const auto access = find_access("", world.environment());
  REQUIRE(access.has_value());
  CHECK(access->server == "https://[fd00::1]:443");
  CHECK(access->token.file == "/sa/token");
  CHECK(access->ca.file == "/sa/ca.crt");
  CHECK(access->ns == "muster-system");
}

TEST_CASE("a service account without CA or token is refused") {
  World world;
  world.variables = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  world.files = {{"/sa/token", "t"}};
  CHECK(find_access("", world.environment()).error().message.find("/sa/ca.crt") == 0);
  CHECK(find_access("", world.environment()).error().code == ErrorCode::kInvalid);
  world.files = {{"/sa/ca.crt", "c"}};
  CHECK(find_access("", world.environment()).error().message.find("/sa/token") == 0);
}

TEST_CASE("outside of a pod and without a kubeconfig the error says what was looked for") {
  const std::string error = find_access("", World{}.environment()).error().message;
  CHECK(error.find("--kubeconfig") != std::string::npos);
  CHECK(error.find("KUBECONFIG") != std::string::npos);
  CHECK(error.find("KUBERNETES_SERVICE_HOST") != std::string::npos);
}

TEST_CASE("files are read whole, and unreadable ones are named") {
  CHECK(read_file("/nowhere/x").error().message == "/nowhere/x: No such file or directory");
  CHECK_FALSE(process_environment().exists("/nowhere/x"));
  CHECK(process_environment().exists("/tmp"));
  CHECK_FALSE(read_file("/tmp").has_value());
  CHECK_FALSE(read_file("/dev/zero").has_value());
  const auto path =
      (std::filesystem::temp_directory_path() / fmt::format("muster-read-file-{}", ::getpid())).string();
  std::ofstream(path) << std::string(10'000, 'x') << '\n';
  CHECK(read_file(path).value() == std::string(10'000, 'x') + "\n");
  std::filesystem::remove(path);
}

TEST_CASE("base64 is decoded with padding and line breaks and nothing else") {
  CHECK(decode_base64("").value().empty());
  CHECK(decode_base64("aGVsbG8=").value() == "hello");
  CHECK(decode_base64("aGVs\nbG8h\n").value() == "hello!");
  CHECK(decode_base64("AP/+").value() == std::string("\x00\xff\xfe", 3));
  for (const char* text : {"a", "aGVsbG8", "aGVs*G8=", "=aGV", "aG=s", "a===", "aGVs===="}) {
    CAPTURE(text);
    CHECK_FALSE(decode_base64(text).has_value());
  }
}

}  // namespace
}  // namespace muster::kube
