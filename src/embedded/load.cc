#include "embedded/load.h"

#include <fmt/format.h>

#include <utility>

#include "base/file.h"
#include "kube/yaml.h"

namespace muster::embedded {
namespace {

bool is_new_pod(Kind kind, const Json& object) {
  return kind == Kind::kPod && text_at(object, {"spec", "nodeName"}).empty() && !object.contains("status");
}

std::string name_in(Kind kind, const Json& object) {
  return describe(kind, text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"}));
}

Answer<void> load_object(Kind kind, Json object, const AdmissionOptions& admission, Store& store) {
  const Json& meta = at_path(object, {"metadata"});
  if (info_of(kind).namespaced && meta.is_object() && !meta.contains("namespace")) {
    object["metadata"]["namespace"] = "default";
  }
  auto admitted =
      is_new_pod(kind, object) ? admit_new(kind, object, admission) : admit_existing(kind, object);
  if (!admitted) return admitted;
  if (auto stored = store.create(kind, std::move(object)); !stored) return tl::unexpected(stored.error());
  return {};
}

}  // namespace

Result<void> load_yaml(std::string_view text, const std::string& source, const AdmissionOptions& admission,
                       Store& store) {
  const auto documents = kube::yaml_to_objects(text, source);
  if (!documents) return tl::unexpected(documents.error());
  for (const kube::YamlObject& document : *documents) {
    const std::string place = fmt::format("{}:{}", source, document.line);
    std::string why;
    const auto object = parse_json(document.json, why);
    if (!object) return invalid("{}: {}", place, why);
    const auto kind = kind_named(text_at(*object, {"apiVersion"}), text_at(*object, {"kind"}));
    if (!kind) {
      return invalid("{}: kind {} of apiVersion {} is not served", place, show(at_path(*object, {"kind"})),
                     show(at_path(*object, {"apiVersion"})));
    }
    if (auto loaded = load_object(*kind, *object, admission, store); !loaded) {
      return invalid("{}: {}: {}", place, name_in(*kind, *object), loaded.error().message);
    }
  }
  return {};
}

Result<void> load_file(const std::string& path, const AdmissionOptions& admission, Store& store) {
  const Result<std::string> text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  if (text->empty()) return invalid("{}: is empty", path);
  return load_yaml(*text, path, admission, store);
}

}  // namespace muster::embedded
