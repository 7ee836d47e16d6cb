#include "kube/credentials.h"

#include <utility>

#include "base/json_text.h"
#include "base/log.h"

namespace muster::kube {
namespace {

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
    : access_(std::move(access)), clock_(clock), read_(std::move(read)) {
  if (!access_.exec) return;
  const auto run = [plugin = *access_.exec, info = exec_info_of(access_)](const std::stop_token& stop) {
    return run_exec_plugin(plugin, info, stop);
  };
  plugin_ = std::make_unique<ExecSource>(run, clock_);
}

Result<std::string> Credentials::content(const Secret& secret) const {
  if (!secret.value.empty() || secret.file.empty()) return secret.value;
  return read_(secret.file);
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
  auto content = read_(access_.token.file);
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

Result<void> Credentials::refresh() {
  auto token = refresh_token();
  auto transport = refresh_transport();
  return token ? transport : token;
}

Result<Credentials::Current> Credentials::current() {
  std::optional<ExecCredential> from_plugin;
  if (plugin_) {
    auto credential = plugin_->current();
    if (!credential) return tl::unexpected(credential.error());
    from_plugin = *std::move(credential);
  }
  const std::lock_guard lock(mutex_);
  if (from_plugin && *from_plugin != from_plugin_) {
    from_plugin_ = *std::move(from_plugin);
    stale_ = true;
  }
  if (const TimePoint now = clock_.now(); due(now)) {
    const auto refreshed = refresh();
    const bool usable = transport_ && (access_.token.file.empty() || !token_.empty());
    if (!refreshed && !usable) return tl::unexpected(refreshed.error());
    if (!refreshed) log_warning("credentials stay as they were: {}", refreshed.error().message);
    read_at_ = now;
    stale_ = false;
  }
  return Current{transport_, token_};
}

void Credentials::rejected(const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (token != token_) return;
  stale_ = true;
  if (plugin_) plugin_->rejected();
}

void Credentials::stop() {
  if (plugin_) plugin_->stop();
}

}  // namespace muster::kube
