// A case: a small cluster, the groups that wait in it, and what `muster plan` has to say.
// tests/cases/README.md describes the file.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace muster::plan_cases {

using Json = nlohmann::json;

// The map at the pointer, or an empty one: a reference that outlives the loop over its items.
[[nodiscard]] const Json& map_at(const Json& object, const char* pointer);

// How the objects reach the program.
struct TextFile {
  std::string name;
  std::string text;
};

struct Case {
  std::string id;     // the file's name without extension
  std::string title;  // a sentence about behaviour
  Json trees;         // [{name, levels: [{name, labels: […]}]}], as in the configuration file
  std::vector<std::string> arguments;
  std::vector<std::string> formats;  // at least one
  std::vector<Json> nodes;           // as Kubernetes objects
  std::vector<Json> pods;            // those of workloads too, as their controllers would make them
  std::vector<Json> objects;         // what is delivered: nodes, pods, workloads
  std::vector<TextFile> files;       // delivered as they are, after the objects
  Json expect;
};

// Reads one file; throws std::runtime_error naming file and key for a case that is not well-formed. One file
// may hold several cases as YAML documents.
[[nodiscard]] std::vector<Case> read_cases(const std::string& path);

// The objects as files in one of the formats
//   list       one List, as `kubectl get -o json` prints it
//   stdin      the same on standard input
//   kinds      a NodeList and a file for the rest
//   documents  one YAML file, a document each
//   directory  a folder with a file each
// and then the case's own files. The case's trees become a configuration file called "--config".
[[nodiscard]] std::vector<TextFile> rendered(const Case& it, const std::string& format);

}  // namespace muster::plan_cases
