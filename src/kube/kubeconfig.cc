#include "kube/kubeconfig.h"

#include <algorithm>
#include <map>

#include "kube/base64.h"
#include "kube/json_reader.h"
#include "kube/yaml.h"

namespace muster::kube {
namespace {

using Value = JsonReader::Value;

struct Cluster {
  std::string server;
  Secret ca;
  std::string tls_server_name;
  bool insecure = false;
  bool proxy = false;
};

struct User {
  Secret token;
  Secret client_cert;
  Secret client_key;
  std::optional<ExecPlugin> exec;
  std::string unsupported;  // the first field of the entry that cannot be honoured
};

struct Context {
  std::string cluster;
  std::string user;
  std::string ns;
};

template <typename T>
struct Named {
  T entry;
  std::string file;  // where it was found
};

struct Merged {
  std::map<std::string, Named<Cluster>> clusters;
  std::map<std::string, Named<User>> users;
  std::map<std::string, Named<Context>> contexts;
  Named<std::string> current;
};

std::string resolved(std::string_view path, const std::string& file) {
  const auto slash = file.rfind('/');
  if (path.empty() || path.front() == '/' || slash == std::string::npos) return std::string(path);
  return file.substr(0, slash + 1) + std::string(path);
}

std::string decoded(JsonReader& reader, Value value) {
  const std::string_view text = reader.text(value);
  auto bytes = decode_base64(text);
  if (!bytes) reader.fail_here("not base64");  // without the text: it may be a key
  return *std::move(bytes);
}

Cluster read_cluster(JsonReader& reader, Value value, const std::string& file) {
  Cluster cluster;
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "server") {
      cluster.server = reader.text(field);
    } else if (key == "certificate-authority") {
      cluster.ca.file = resolved(reader.text(field), file);
    } else if (key == "certificate-authority-data") {
      cluster.ca.value = decoded(reader, field);
    } else if (key == "tls-server-name") {
      cluster.tls_server_name = reader.text(field);
    } else if (key == "insecure-skip-tls-verify") {
      cluster.insecure = reader.boolean(field);
    } else if (key == "proxy-url") {
      cluster.proxy = !reader.text(field).empty();
    }
  });
  return cluster;
}

bool is_unsupported(std::string_view key) {
  return key == "auth-provider" || key == "username" || key == "password" || key.substr(0, 2) == "as";
}

// A command with a slash counts from the kubeconfig's folder, one without is looked up in PATH.
std::string resolved_command(std::string_view command, const std::string& file) {
  return command.find('/') == std::string_view::npos ? std::string(command) : resolved(command, file);
}

std::pair<std::string, std::string> read_variable(JsonReader& reader, Value value) {
  std::pair<std::string, std::string> variable;
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "name") {
      variable.first = reader.text(field);
    } else if (key == "value") {
      variable.second = reader.text(field);
    }
  });
  return variable;
}

ExecPlugin read_exec(JsonReader& reader, Value value, const std::string& file) {
  ExecPlugin plugin;
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "command") {
      plugin.command = resolved_command(reader.text(field), file);
    } else if (key == "args") {
      reader.each_element(field, [&](Value argument) { plugin.args.emplace_back(reader.text(argument)); });
    } else if (key == "env") {
      reader.each_element(field,
                          [&](Value variable) { plugin.env.push_back(read_variable(reader, variable)); });
    } else if (key == "apiVersion") {
      plugin.api_version = reader.text(field);
    } else if (key == "installHint") {
      plugin.install_hint = reader.text(field);
    } else if (key == "interactiveMode" && reader.text(field) == "Always") {
      reader.fail_here("Always is not supported: nobody is there to be asked");
    }
  });
  if (plugin.command.empty()) reader.fail_here("command is missing");
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    reader.fail_here("apiVersion " + muster::quoted(plugin.api_version) +
                     " is not supported; known are client.authentication.k8s.io/v1 and v1beta1");
  }
  return plugin;
}

User read_user(JsonReader& reader, Value value, const std::string& file) {
  User user;
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "token") {
      user.token.value = reader.text(field);
    } else if (key == "tokenFile") {
      user.token.file = resolved(reader.text(field), file);
    } else if (key == "client-certificate") {
      user.client_cert.file = resolved(reader.text(field), file);
    } else if (key == "client-certificate-data") {
      user.client_cert.value = decoded(reader, field);
    } else if (key == "client-key") {
      user.client_key.file = resolved(reader.text(field), file);
    } else if (key == "client-key-data") {
      user.client_key.value = decoded(reader, field);
    } else if (key == "exec" && !field.is_null()) {
      user.exec = read_exec(reader, field, file);
    } else if (is_unsupported(key) && !field.is_null() && user.unsupported.empty()) {
      user.unsupported = key;
    }
  });
  return user;
}

Context read_context(JsonReader& reader, Value value, const std::string&) {
  Context context;
  reader.each_field(value, [&](std::string_view key, Value field) {
    if (key == "cluster") {
      context.cluster = reader.text(field);
    } else if (key == "user") {
      context.user = reader.text(field);
    } else if (key == "namespace") {
      context.ns = reader.text(field);
    }
  });
  return context;
}

// [{name: n, <key>: {…}}, …]
template <typename T, typename Read>
void read_named(JsonReader& reader, Value list, std::string_view key, const std::string& file,
                std::map<std::string, Named<T>>& into, Read read) {
  reader.each_element(list, [&](Value element) {
    std::string name;
    T entry;
    reader.each_field(element, [&](std::string_view field, Value value) {
      if (field == "name") {
        name = reader.text(value);
      } else if (field == key) {
        entry = read(reader, value, file);
      }
    });
    into.try_emplace(std::move(name), Named<T>{std::move(entry), file});
  });
}

Result<void> merge(const std::string& json, const std::string& file, Merged& into) {
  const auto visit = [&](JsonReader& reader, std::string_view key, Value value) {
    if (key == "clusters") {
      read_named(reader, value, "cluster", file, into.clusters, read_cluster);
    } else if (key == "users") {
      read_named(reader, value, "user", file, into.users, read_user);
    } else if (key == "contexts") {
      read_named(reader, value, "context", file, into.contexts, read_context);
    } else if (key == "current-context") {
      const std::string_view name = reader.text(value);
      if (into.current.entry.empty()) into.current = {std::string(name), file};
    }
  };
  return read_document(json, visit, JsonReader::Show::kKinds);
}

Result<void> merge_file(const std::string& text, const std::string& file, Merged& into) {
  const auto documents = yaml_to_json(text, file);
  if (!documents) return tl::unexpected(documents.error());
  if (documents->size() > 1) return invalid("{}: more than one document", file);
  if (documents->empty()) return {};
  auto merged = merge(documents->front().json, file, into);
  if (!merged) return invalid("{}: {}", file, merged.error().message);
  return {};
}

Result<Merged> merge_files(const std::vector<std::string>& files, const Environment& environment) {
  Merged merged;
  if (files.empty()) return invalid("KUBECONFIG names no file");
  const bool any = std::any_of(files.begin(), files.end(), environment.exists);
  for (const auto& file : files) {
    if (any && !environment.exists(file)) continue;
    const auto text = environment.read_file(file);
    if (!text) return tl::unexpected(text.error());
    if (auto done = merge_file(*text, file, merged); !done) return tl::unexpected(done.error());
  }
  return merged;
}

template <typename T>
Result<Named<T>> look_up(const std::map<std::string, Named<T>>& all, const std::string& name,
                         std::string_view kind, const std::string& file, const std::string& asked_by) {
  const auto it = all.find(name);
  if (it == all.end())
    return invalid("{}: {} names the {} {}, which does not exist", file, asked_by, kind,
                   muster::quoted(name));
  return it->second;
}

Result<void> check(const Named<Cluster>& cluster, const std::string& name) {
  const auto where = fmt::format("{}: cluster {}", cluster.file, muster::quoted(name));
  if (cluster.entry.server.empty()) return invalid("{}: server is missing", where);
  if (cluster.entry.proxy) return invalid("{}: proxy-url is not supported", where);
  if (cluster.entry.insecure && !cluster.entry.ca.empty())
    return invalid("{}: insecure-skip-tls-verify and a certificate authority exclude each other", where);
  return {};
}

Result<void> check(const Named<User>& user, const std::string& name) {
  const auto where = fmt::format("{}: user {}", user.file, muster::quoted(name));
  if (!user.entry.unsupported.empty())
    return invalid("{}: {} is not supported; use a token, a token file, a client certificate or exec", where,
                   user.entry.unsupported);
  if (user.entry.client_cert.empty() != user.entry.client_key.empty())
    return invalid("{}: client-certificate and client-key must be given together", where);
  return {};
}

}  // namespace

Result<Access> access_from_kubeconfig(const std::vector<std::string>& files, const Environment& environment) {
  const auto merged = merge_files(files, environment);
  if (!merged) return tl::unexpected(merged.error());
  const std::string& current = merged->current.entry;
  if (current.empty()) return invalid("{}: current-context is missing", files.front());
  const auto context = look_up(merged->contexts, current, "context", merged->current.file, "current-context");
  if (!context) return tl::unexpected(context.error());
  const std::string asked_by = "context " + muster::quoted(current);
  const auto& [cluster_name, user_name, ns] = context->entry;
  const auto cluster = look_up(merged->clusters, cluster_name, "cluster", context->file, asked_by);
  if (!cluster) return tl::unexpected(cluster.error());
  if (auto fine = check(*cluster, cluster_name); !fine) return tl::unexpected(fine.error());

  Access access;
  access.server = cluster->entry.server;
  access.ca = cluster->entry.ca;
  access.tls_server_name = cluster->entry.tls_server_name;
  access.insecure_skip_verify = cluster->entry.insecure;
  access.ns = ns;
  access.found = fmt::format("context {} of {}", current, context->file);
  if (user_name.empty()) return access;

  const auto user = look_up(merged->users, user_name, "user", context->file, asked_by);
  if (!user) return tl::unexpected(user.error());
  if (auto fine = check(*user, user_name); !fine) return tl::unexpected(fine.error());
  access.token = user->entry.token;
  access.client_cert = user->entry.client_cert;
  access.client_key = user->entry.client_key;
  // As in client-go: what is given in the file itself goes first.
  if (access.token.empty() && access.client_cert.empty()) access.exec = user->entry.exec;
  return access;
}

}  // namespace muster::kube
