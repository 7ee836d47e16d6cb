#include "kube/credentials.h"

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "base/log.h"

namespace muster::kube {
namespace {

// The kubelet rotates a token at 80 % of its life, of which there are at least ten minutes.
constexpr Duration kReadAgainAfter{60'000};
// A credential is renewed so long before it expires.
constexpr Duration kLeeway{10'000};

std::string without_line_end(std::string text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  text.resize(end == std::string::npos ? 0 : end + 1);
  return text;
}

// What a plugin may want to know of the cluster.
std::string exec_info_of(const Access& access) {
  std::string info = R"({"apiVersion":)";
  append_json_string(info, access.exec->api_version);
  info += R"(,"kind":"ExecCredential","spec":{"interactive":false,"cluster":{"server":)";
  append_json_string(info, access.server);
  if (!access.tls_server_name.empty()) {
    info += R"(,"tls-server-name":)";
    append_json_string(info, access.tls_server_name);
  }
  if (access.insecure_skip_verify) info += R"(,"insecure-skip-tls-verify":true)";
  return info + "}}}";
}

bool same(const http::ClientOptions& a, const http::ClientOptions& b) {
  return a.ca_pem == b.ca_pem && a.client_cert_pem == b.client_cert_pem &&
         a.client_key_pem == b.client_key_pem;
}

}  // namespace

Credentials::Credentials(Access access, const Clock& clock,
                         std::function<Result<std::string>(const std::string&)> read)
    : access_(std::move(access)), clock_(clock), read_(std::move(read)) {}

Result<std::string> Credentials::content(const Secret& secret) const {
  if (!secret.value.empty() || secret.file.empty()) return secret.value;
  return file(secret.file);
}

// kNotFound would tell who makes a call that its object is gone.
Result<std::string> Credentials::file(const std::string& path) const {
  auto text = read_(path);
  if (!text) return invalid("{}", text.error().message);
  return text;
}

bool Credentials::due(TimePoint now) const {
  if (stale_ || !read_at_ || now - *read_at_ >= kReadAgainAfter) return true;
  return plugin_due_ && now >= *plugin_due_;
}

Result<void> Credentials::run_plugin(TimePoint now) {
  const bool expired = plugin_due_ && now >= *plugin_due_;
  if (plugin_ran_ && !stale_ && !expired) return {};
  auto credential = run_exec_plugin(*access_.exec, exec_info_of(access_));
  if (!credential) return tl::unexpected(credential.error());
  from_plugin_ = *std::move(credential);
  plugin_ran_ = true;
  plugin_due_.reset();
  if (from_plugin_.lifetime) plugin_due_ = now + std::max(*from_plugin_.lifetime - kLeeway, kLeeway);
  return {};
}

Result<void> Credentials::refresh_token() {
  if (access_.exec) {
    token_ = from_plugin_.token;
    return {};
  }
  if (access_.token.file.empty()) {
    token_ = access_.token.value;
    return {};
  }
  auto content = file(access_.token.file);
  if (!content) return tl::unexpected(content.error());
  auto token = without_line_end(*std::move(content));
  if (token.empty()) return invalid("{} is empty", access_.token.file);
  token_ = std::move(token);
  return {};
}

Result<void> Credentials::refresh_transport() {
  const auto ca = content(access_.ca);
  if (!ca) return tl::unexpected(ca.error());
  const auto cert = content(access_.client_cert);
  if (!cert) return tl::unexpected(cert.error());
  const auto key = content(access_.client_key);
  if (!key) return tl::unexpected(key.error());
  http::ClientOptions options;
  options.base_url = access_.server;
  options.ca_pem = *ca;
  options.client_cert_pem = access_.exec ? from_plugin_.client_cert : *cert;
  options.client_key_pem = access_.exec ? from_plugin_.client_key : *key;
  options.server_name = access_.tls_server_name;
  options.insecure_skip_verify = access_.insecure_skip_verify;
  if (transport_ && same(*transport_, options)) return {};
  // A certificate and a key that are just being replaced do not fit together: keep the old pair until they
  // do.
  if (auto usable = http::Client::create(options); !usable) return tl::unexpected(usable.error());
  transport_ = std::make_shared<const http::ClientOptions>(std::move(options));
  return {};
}

Result<void> Credentials::refresh(TimePoint now) {
  auto plugin = access_.exec ? run_plugin(now) : Result<void>{};
  if (access_.exec && !plugin_ran_) return plugin;
  auto token = refresh_token();
  auto transport = refresh_transport();
  if (!plugin) return plugin;
  return token ? transport : token;
}

Result<Credentials::Current> Credentials::current() {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.now();
  if (due(now)) {
    const auto refreshed = refresh(now);
    const bool usable = transport_ && (access_.token.file.empty() || !token_.empty());
    if (!refreshed && !usable) return tl::unexpected(refreshed.error());
    if (!refreshed) log_warning("credentials stay as they were: {}", refreshed.error().message);
    // A plugin that fails is not run for every call.
    if (!refreshed && plugin_due_) plugin_due_ = now + kLeeway;
    read_at_ = now;
    stale_ = false;
  }
  return Current{transport_, token_};
}

void Credentials::rejected(const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (token == token_) stale_ = true;
}

}  // namespace muster::kube
