#include "case_file.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "expression.h"
#include "kube/yaml.h"

namespace muster::plan_cases {
namespace {

constexpr const char* kPrefix = "muster.dev/";

void allow(const Json& object, const std::string& where, const std::set<std::string>& keys) {
  if (!object.is_object()) throw std::runtime_error(where + ": not a map");
  for (const auto& [key, value] : object.items()) {
    if (!keys.contains(key)) throw std::runtime_error(where + ": unknown key " + key);
  }
}

std::string as_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// gpu is short for nvidia.com/gpu.
Json resources(const Json& from) {
  Json out = Json::object();
  for (const auto& [name, amount] : from.items())
    out[name == "gpu" ? "nvidia.com/gpu" : name] = as_text(amount);
  return out;
}

Json make_node(const Json& it) {
  allow(it, "nodes",
        {"count", "name", "labels", "resources", "capacity", "taints", "unschedulable", "ready", "merge"});
  Json node{{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", it.at("name")}}}};
  for (const auto& [key, value] : map_at(it, "/labels").items())
    node["metadata"]["labels"][key] = as_text(value);
  Json room = Json{{"cpu", "64"}, {"memory", "512Gi"}, {"pods", "110"}};
  room.update(resources(it.value("resources", Json::object())));
  node["status"][it.value("capacity", false) ? "capacity" : "allocatable"] = room;
  if (it.contains("taints")) node["spec"]["taints"] = it["taints"];
  if (it.value("unschedulable", false)) node["spec"]["unschedulable"] = true;
  if (it.contains("ready")) {
    node["status"]["conditions"] =
        Json::array({{{"type", "Ready"}, {"status", it["ready"].get<bool>() ? "True" : "False"}}});
  }
  if (it.contains("merge")) node.merge_patch(it["merge"]);
  return node;
}

const std::set<std::string> kPodKeys = {"count",       "name",        "namespace", "node",        "phase",
                                        "resources",   "annotations", "labels",    "priority",    "created",
                                        "terminating", "selector",    "affinity",  "tolerations", "subgroup",
                                        "rank",        "gates",       "merge",     "kind",        "workload"};

Json make_pod(const Json& it) {
  allow(it, "pods", kPodKeys);
  Json pod{{"apiVersion", "v1"},
           {"kind", "Pod"},
           {"metadata", {{"name", it.at("name")}, {"namespace", it.value("namespace", "default")}}},
           {"spec", {{"schedulerName", "muster"}}},
           {"status", {{"phase", it.value("phase", it.contains("node") ? "Running" : "Pending")}}}};
  Json& metadata = pod["metadata"];
  Json& spec = pod["spec"];
  spec["containers"] = Json::array({{{"name", "main"}, {"image", "main"}}});
  spec["containers"][0]["resources"]["requests"] = resources(it.value("resources", Json::object()));
  for (const auto& [key, value] : map_at(it, "/annotations").items())
    metadata["annotations"][key.find('/') == std::string::npos ? kPrefix + key : key] = as_text(value);
  if (it.contains("subgroup")) metadata["annotations"][std::string(kPrefix) + "subgroup"] = it["subgroup"];
  if (it.contains("rank")) metadata["annotations"][std::string(kPrefix) + "rank"] = as_text(it["rank"]);
  for (const auto& [key, value] : map_at(it, "/labels").items()) metadata["labels"][key] = as_text(value);
  if (it.contains("created")) metadata["creationTimestamp"] = it["created"];
  if (it.value("terminating", false)) metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  if (it.contains("node")) spec["nodeName"] = it["node"];
  if (it.contains("priority")) spec["priority"] = it["priority"];
  if (it.contains("selector")) spec["nodeSelector"] = it["selector"];
  if (it.contains("affinity"))
    spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"] =
        it["affinity"];
  if (it.contains("tolerations")) spec["tolerations"] = it["tolerations"];
  for (const auto& gate : it.value("gates", Json::array()))
    spec["schedulingGates"].push_back({{"name", gate}});
  if (it.contains("merge")) pod.merge_patch(it["merge"]);
  return pod;
}

std::vector<Json> repeated(const Json& entry) {
  std::vector<Json> out;
  Json one = entry;
  one.erase("count");
  for (int64_t i = 0; i < entry.value("count", int64_t{1}); ++i) out.push_back(expand(one, i));
  return out;
}

// A workload of `count` pods, as a manifest; the case's pods get what its controller would make.
void add_workload(const Json& entry, Case& into) {
  const std::string kind = entry["kind"];
  const int64_t count = entry.value("count", int64_t{1});
  const Json pod = make_pod(expand(entry, 0));
  Json pod_template{{"metadata", pod["metadata"]}, {"spec", pod["spec"]}};
  pod_template["metadata"].erase("name");
  pod_template["metadata"].erase("namespace");
  Json workload{{"apiVersion", kind == "Job" ? "batch/v1" : "apps/v1"}, {"kind", kind}};
  workload["metadata"] = {{"name", entry["name"]}, {"namespace", pod["metadata"]["namespace"]}};
  workload["spec"]["template"] = pod_template;
  if (kind == "Job") {
    workload["spec"].update(
        Json{{"parallelism", count}, {"completions", count}, {"completionMode", "Indexed"}});
  } else {
    workload["spec"]["replicas"] = count;
  }
  if (entry.contains("workload")) workload.merge_patch(entry["workload"]);
  into.objects.push_back(workload);
  const bool indexed = kind == "Job" || kind == "StatefulSet";
  const std::size_t width = indexed ? 0 : std::to_string(count - 1).size();
  for (int64_t i = 0; i < count; ++i) {
    Json made = pod;
    std::string number = std::to_string(i);
    if (number.size() < width) number.insert(0, width - number.size(), '0');
    made["metadata"]["name"] = entry["name"].get<std::string>() + "-" + number;
    into.pods.push_back(std::move(made));
  }
}

void add_pods(const Json& entries, const Json& group, Case& into) {
  for (const Json& entry : entries) {
    Json whole = entry;
    whole["annotations"] = group.value("annotations", Json::object());
    whole["annotations"].update(entry.value("annotations", Json::object()));
    if (group.contains("name") && !whole["annotations"].contains("group-name"))
      whole["annotations"]["group-name"] = group["name"];
    for (const char* key : {"namespace", "priority", "created"}) {
      if (group.contains(key) && !whole.contains(key)) whole[key] = group[key];
    }
    if (!whole.contains("name"))
      whole["name"] = (group.contains("name") ? group["name"].get<std::string>() : "busy") + "-" +
                      std::to_string(into.pods.size()) + "-{i}";
    if (whole.contains("kind")) {
      add_workload(whole, into);
      continue;
    }
    for (const Json& one : repeated(whole)) {
      into.pods.push_back(make_pod(one));
      into.objects.push_back(into.pods.back());
    }
  }
}

// "block,rack=topology.example/rack" as a tree; the host is implied.
Json tree_of(const std::string& levels) {
  Json tree{{"name", "levels"}, {"levels", Json::array()}};
  std::istringstream items(levels);
  for (std::string item; std::getline(items, item, ',');) {
    const std::size_t sign = item.find('=');
    const std::string name = item.substr(0, sign);
    const std::string key = sign == std::string::npos ? name : item.substr(sign + 1);
    if (name == "host" || key == "kubernetes.io/hostname") continue;
    tree["levels"].push_back({{"name", name}, {"labels", Json::array({key})}});
  }
  return Json::array({tree});
}

// Nodes and pods of a file that is delivered as it is; workloads are not made into pods.
void add_known(const TextFile& file, Case& into) {
  const auto objects = kube::yaml_to_objects(file.text, file.name);
  if (!objects) return;  // meant to be refused
  for (const auto& object : *objects) {
    Json known{
        {"metadata", {{"namespace", "default"}}}, {"spec", Json::object()}, {"status", Json::object()}};
    known.merge_patch(Json::parse(object.json));
    if (object.kind == "Node") into.nodes.push_back(known);
    if (object.kind == "Pod") into.pods.push_back(known);
  }
}

Case make_case(const Json& it, const std::string& id) {
  allow(it, id,
        {"title", "from", "about", "levels", "trees", "args", "formats", "nodes", "pods", "groups", "files",
         "expect"});
  Case made;
  made.id = id;
  made.title = it.at("title");
  made.trees = it.value("trees", Json::array());
  if (it.contains("levels")) {
    made.trees = tree_of(it["levels"]);
    made.arguments = {"--levels", it["levels"]};
  }
  for (const auto& argument : it.value("args", Json::array())) made.arguments.push_back(argument);
  made.formats = it.value("formats", std::vector<std::string>{"list"});
  for (const Json& entry : it.value("nodes", Json::array())) {
    for (const Json& one : repeated(entry)) made.nodes.push_back(make_node(one));
  }
  made.objects = made.nodes;
  add_pods(it.value("pods", Json::array()), Json::object(), made);
  for (const Json& group : it.value("groups", Json::array())) {
    allow(group, id + ": groups", {"name", "namespace", "annotations", "priority", "created", "pods"});
    add_pods(group.at("pods"), group, made);
  }
  for (const Json& file : it.value("files", Json::array())) {
    allow(file, id + ": files", {"name", "text"});
    made.files.push_back({file.at("name"), file.at("text")});
    add_known(made.files.back(), made);
  }
  made.expect = it.at("expect");
  allow(made.expect, id + ": expect", {"status", "order", "groups", "stderr", "text", "not_text"});
  for (const auto& [name, group] : map_at(made.expect, "/groups").items()) {
    allow(group, id + ": expect." + name,
          {"verdict", "placed", "code", "says", "says_not", "domains", "spread", "nodes", "pods", "ranks",
           "subgroup", "remedies", "nearest", "within", "steps"});
    if (!group.contains("verdict") || !group["verdict"].is_string())
      throw std::runtime_error(id + ": expect." + name +
                               ".verdict: missing, or a bare no, which is a boolean");
  }
  return made;
}

std::string name_of(const Json& object) {
  return object["kind"].get<std::string>() + "-" + object["metadata"]["name"].get<std::string>();
}

std::string list_of(const std::vector<Json>& items, const std::string& kind) {
  return Json{{"apiVersion", "v1"}, {"kind", kind}, {"items", items}}.dump();
}

}  // namespace

const Json& map_at(const Json& object, const char* pointer) {
  static const Json empty = Json::object();
  const Json::json_pointer path(pointer);
  return object.contains(path) ? object.at(path) : empty;
}

std::vector<Case> read_cases(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  const auto documents = kube::yaml_to_json(text.str(), path);
  if (!documents) throw std::runtime_error(documents.error().message);
  std::vector<Case> cases;
  for (const auto& document : *documents) {
    try {
      std::string id = std::filesystem::path(path).stem().string();
      if (documents->size() > 1) id += "/" + std::to_string(cases.size() + 1);
      cases.push_back(make_case(Json::parse(document.json), id));
    } catch (const std::exception& error) {
      throw std::runtime_error(path + ":" + std::to_string(document.line) + ": " + error.what());
    }
  }
  return cases;
}

std::vector<TextFile> rendered(const Case& it, const std::string& format) {
  std::vector<TextFile> files;
  if (it.objects.empty()) {
    // Nothing but the case's own files.
  } else if (format == "list") {
    files.push_back({"objects.json", list_of(it.objects, "List")});
  } else if (format == "stdin") {
    files.push_back({"-", list_of(it.objects, "List")});
  } else if (format == "kinds") {
    std::vector<Json> nodes;
    std::vector<Json> rest;
    for (const Json& object : it.objects) (object["kind"] == "Node" ? nodes : rest).push_back(object);
    files.push_back({"nodes.json", list_of(nodes, "NodeList")});
    files.push_back({"rest.json", list_of(rest, "List")});
  } else if (format == "documents") {
    TextFile& all = files.emplace_back(TextFile{"objects.yaml", ""});
    for (const Json& object : it.objects) all.text += "---\n" + object.dump(2) + "\n";
  } else if (format == "directory") {
    std::size_t number = 1'000'000;  // files are read by name; this keeps the order of the case
    for (const Json& object : it.objects)
      files.push_back({"d/" + std::to_string(number++) + "-" + name_of(object) + ".json", object.dump()});
  } else {
    throw std::runtime_error(it.id + ": formats: " + format + " is none");
  }
  files.insert(files.end(), it.files.begin(), it.files.end());
  if (it.arguments.empty() || it.arguments.front() != "--levels") {
    Json configuration{{"apiVersion", "muster.dev/v1alpha1"}, {"kind", "MusterConfiguration"}};
    configuration["topology"]["trees"] = it.trees;
    if (!it.trees.empty()) files.push_back({"--config", configuration.dump(2)});
  }
  return files;
}

}  // namespace muster::plan_cases
