#include "offline/input.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "kube/decode.h"
#include "kube/yaml.h"
#include "offline/workloads.h"

namespace muster::offline {
namespace {

namespace fs = std::filesystem;

Result<void> add_file(const fs::path& path, Input& input) {
  const Result<std::string> text = read_file(path.string());
  if (!text) return tl::unexpected(text.error());
  return add_text(*text, path.string(), input);
}

Result<void> add_directory(const fs::path& directory, Input& input) {
  std::set<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") files.insert(entry.path());
  }
  if (error) return invalid("{}: {}", directory.string(), error.message());
  if (files.empty()) return invalid("{}: no file in it ends in .yaml, .yml or .json", directory.string());
  for (const fs::path& file : files) {
    if (Result<void> added = add_file(file, input); !added) return added;
  }
  return {};
}

void pass_over(const kube::YamlObject& object, const std::string& source, std::size_t number, Input& input) {
  for (PassedOver& known : input.passed_over) {
    if (known.source != source || known.kind != object.kind) continue;
    ++known.count;
    return;
  }
  input.passed_over.push_back({source, object.kind, static_cast<std::size_t>(object.line), number, 1});
}

Result<void> add_object(const kube::YamlObject& object, const std::string& source, std::size_t number,
                        Input& input) {
  if (object.kind == "Node") {
    Result<kube::Node> node = kube::decode_node(object.json);
    if (!node) return tl::unexpected(node.error());
    input.nodes.push_back(std::move(*node));
  } else if (object.kind == "Pod") {
    Result<kube::Pod> pod = kube::decode_pod(object.json);
    if (!pod) return tl::unexpected(pod.error());
    input.pods.push_back(std::move(*pod));
  } else if (is_workload(object.kind)) {
    Result<std::vector<kube::Pod>> pods = pods_of(object.kind, object.json);
    if (!pods) return tl::unexpected(pods.error());
    std::move(pods->begin(), pods->end(), std::back_inserter(input.pods));
  } else if (object.kind.empty()) {
    return invalid("kind: missing");
  } else {
    pass_over(object, source, number, input);
  }
  return {};
}

}  // namespace

Result<void> add_text(std::string_view text, const std::string& source, Input& input) {
  const Result<std::vector<kube::YamlObject>> objects = kube::yaml_to_objects(text, source);
  if (!objects) return tl::unexpected(objects.error());
  if (objects->empty() && kube::yaml_to_json(text, source)->empty())
    return invalid("{}: there is no object in it", source);
  std::size_t document = 0;
  for (const kube::YamlObject& object : *objects) {
    ++document;
    if (const Result<void> added = add_object(object, source, document, input); !added) {
      return invalid("{}: line {}, object {}: {}", source, object.line, document, added.error().message);
    }
  }
  return {};
}

Result<void> finish(Input& input) {
  if (input.nodes.empty() && input.pods.empty()) {
    const std::string others = input.passed_over.empty()
                                   ? ""
                                   : ", only kinds such as " + muster::quoted(input.passed_over.front().kind);
    return invalid("there is neither a node nor a pod in the input{}", others);
  }
  std::set<std::string> seen;
  for (const kube::Node& node : input.nodes) {
    if (!seen.insert(node.name).second) return invalid("node {}: is there twice", node.name);
  }
  seen.clear();
  for (kube::Pod& pod : input.pods) {
    const std::string name = pod.ns + "/" + pod.name;
    if (!seen.insert(name).second) return invalid("pod {}: is there twice", name);
    pod.uid = name;
  }
  return {};
}

std::vector<std::string> warnings(const Input& input) {
  std::vector<std::string> all;
  for (const PassedOver& it : input.passed_over) {
    all.push_back(fmt::format("{}: line {}, object {}: kind {} is passed over{}", it.source, it.line,
                              it.object, muster::quoted(it.kind),
                              it.count == 1 ? "" : fmt::format(" ({} objects)", it.count)));
  }
  std::set<std::string_view> nodes;
  for (const kube::Node& node : input.nodes) nodes.insert(node.name);
  const kube::Pod* first = nullptr;
  std::size_t astray = 0;
  for (const kube::Pod& pod : input.pods) {
    if (pod.node_name.empty() || pod.ended() || nodes.contains(pod.node_name)) continue;
    if (astray++ == 0) first = &pod;
  }
  if (first)
    all.push_back(fmt::format("pod {}/{} is on node {}, which is not in the input, and takes no room{}",
                              first->ns, first->name, muster::quoted(first->node_name),
                              astray == 1 ? "" : fmt::format("; {} pods are on such nodes", astray)));
  return all;
}

Result<Input> read_input(const std::vector<std::string>& paths,
                         const std::function<Result<std::string>()>& read_stdin) {
  Input input;
  for (const std::string& path : paths) {
    Result<void> added;
    if (path == "-") {
      const Result<std::string> text = read_stdin();
      added = text ? add_text(*text, "standard input", input) : tl::unexpected(text.error());
    } else {
      std::error_code error;
      added = fs::is_directory(path, error) ? add_directory(path, input) : add_file(path, input);
    }
    if (!added) return tl::unexpected(added.error());
  }
  if (Result<void> finished = finish(input); !finished) return tl::unexpected(finished.error());
  return input;
}

}  // namespace muster::offline
