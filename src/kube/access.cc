#include "kube/access.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "kube/kubeconfig.h"

namespace muster::kube {
namespace {

constexpr std::size_t kMaxFile = std::size_t{4} << 20;

std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const auto colon = list.find(':');
    if (const auto part = list.substr(0, colon); !part.empty()) parts.emplace_back(part);
    list.remove_prefix(colon == std::string_view::npos ? list.size() : colon + 1);
  }
  return parts;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string trimmed(const std::string& text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  return end == std::string::npos ? "" : text.substr(0, end + 1);
}

Result<Access> in_cluster(const Environment& environment) {
  const auto host = environment.variable("KUBERNETES_SERVICE_HOST");
  const auto port = environment.variable("KUBERNETES_SERVICE_PORT");
  if (!host || host->empty() || !port || port->empty()) {
    return invalid(
        "no way to the API server: no --kubeconfig, KUBECONFIG is not set, and this does not run in a pod "
        "(KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set)");
  }
  Access access;
  access.server = fmt::format("https://{}:{}", bracketed(*host), *port);
  access.ca.file = environment.service_account_directory + "/ca.crt";
  access.token.file = environment.service_account_directory + "/token";
  access.found = "in-cluster";
  for (const auto& file : {access.ca.file, access.token.file}) {
    if (auto content = environment.read_file(file); !content) return tl::unexpected(content.error());
  }
  if (auto ns = environment.read_file(environment.service_account_directory + "/namespace"))
    access.ns = trimmed(*ns);
  return access;
}

}  // namespace

Result<std::string> read_file(const std::string& path) { return muster::read_file(path, kMaxFile); }

Environment process_environment() {
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
  environment.read_file = [](const std::string& path) { return read_file(path); };
  environment.exists = [](const std::string& path) {
    std::error_code unknown;
    return std::filesystem::exists(path, unknown) || unknown;
  };
  return environment;
}

Result<Access> find_access(const std::string& kubeconfig, const Environment& environment) {
  if (!kubeconfig.empty()) return access_from_kubeconfig({kubeconfig}, environment);
  const auto list = environment.variable("KUBECONFIG");
  if (list && !list->empty()) return access_from_kubeconfig(split_list(*list), environment);
  return in_cluster(environment);
}

}  // namespace muster::kube
