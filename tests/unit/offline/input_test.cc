#include "offline/input.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace muster;
using namespace muster::offline;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "muster-input-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

Result<std::string> nothing() { return std::string(); }

std::string pod(const std::string& name) { return "kind: Pod\nmetadata: {name: " + name + "}\n"; }

std::vector<std::string> names(const Input& input) {
  std::vector<std::string> all;
  for (const kube::Pod& it : input.pods) all.push_back(it.name);
  return all;
}

std::string error_of(const Result<Input>& input) {
  REQUIRE_FALSE(input);
  return input.error().message;
}

}  // namespace

TEST_CASE("Files are read in the order given and a folder by name, its manifests alone") {
  const Folder folder;
  const std::string last = folder.write("z.yaml", pod("z"));
  folder.write("d/b.yml", pod("b"));
  folder.write("d/a.json", R"({"kind": "Pod", "metadata": {"name": "a"}})");
  folder.write("d/c.txt", "no manifest");
  folder.write("d/deeper/e.yaml", pod("e"));
  const auto input =
      read_input({last, folder.path() + "/d", "-"}, [] { return Result<std::string>(pod("stdin")); });
  REQUIRE(input);
  CHECK(names(*input) == std::vector<std::string>{"z", "a", "b", "stdin"});
}

TEST_CASE("Kinds that say nothing about room are passed over, those without a kind are not") {
  const Folder folder;
  const auto input =
      read_input({folder.write("a.yaml", "kind: Service\nmetadata: {name: s}\n---\n" + pod("a"))}, nothing);
  REQUIRE(input);
  REQUIRE(warnings(*input).size() == 1);
  CHECK(warnings(*input)[0].ends_with("a.yaml: line 1, object 1: kind \"Service\" is passed over"));
  CHECK(error_of(read_input({folder.write("b.yaml", "metadata: {name: s}\n")}, nothing))
            .find("kind: missing") != std::string::npos);
}

TEST_CASE("A mistake is named by file, line and number of the object") {
  const Folder folder;
  const std::string file = folder.write("a.yaml", pod("a") + "---\n" + pod("b") + "spec: {nodeName: [x]}\n");
  const std::string error = error_of(read_input({file}, nothing));
  CHECK(error.find(file + ": line 4, object 2: spec.nodeName") == 0);
  const std::string piped =
      error_of(read_input({"-"}, [] { return Result<std::string>("kind: Pod\nmetadata: {}\n"); }));
  CHECK(piped.find("standard input: line 1, object 1: metadata.name") == 0);
}

TEST_CASE("What cannot be read is named") {
  const Folder folder;
  CHECK(error_of(read_input({"/nowhere/x.yaml"}, nothing)) == "/nowhere/x.yaml: No such file or directory");
  folder.write("empty/readme.txt", "");
  CHECK(error_of(read_input({folder.path() + "/empty"}, nothing)).find("no file in it ends in") !=
        std::string::npos);
}

TEST_CASE("A node or a pod is there once, over all files") {
  const Folder folder;
  const std::string a = folder.write("a.yaml", pod("same"));
  const std::string b = folder.write("b.yaml", "kind: PodList\nitems: [{metadata: {name: same}}]\n");
  CHECK(error_of(read_input({a, b}, nothing)) == "pod default/same: is there twice");
  const std::string node = folder.write("n.yaml", "kind: Node\nmetadata: {name: n0}\n");
  CHECK(error_of(read_input({node, node}, nothing)) == "node n0: is there twice");
}

TEST_CASE("Pods of one name in two namespaces are two pods, known apart") {
  const Folder folder;
  const auto input = read_input(
      {folder.write("a.yaml",
                    "kind: PodList\nitems: [{metadata: {name: p, namespace: x}}, {metadata: {name: p}}]\n")},
      nothing);
  REQUIRE(input);
  REQUIRE(input->pods.size() == 2);
  CHECK(input->pods[0].uid != input->pods[1].uid);
}
