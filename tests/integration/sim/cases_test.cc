// Every case of tests/cases/sim, as the user would see it.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "kube/yaml.h"
#include "support/paths.h"
#include "support/program.h"

namespace muster {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<Json> read_cases(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  const auto documents = kube::yaml_to_json(text.str(), path.string());
  if (!documents) FAIL(documents.error().message);
  std::vector<Json> cases;
  for (const auto& document : *documents) cases.push_back(Json::parse(document.json));
  return cases;
}

// The case's files lie in the folder; an argument that names one of them becomes its path.
test::Outcome run_sim(const Json& it, const std::string& output) {
  const test::Folder folder;
  const Json files = it.value("files", Json::object());
  for (const auto& [name, text] : files.items())
    std::ofstream(folder.path() / name, std::ios::binary) << text.get<std::string>();
  std::vector<std::string> words{test::binary_dir() + "/src/cmd/muster", "sim", "-o", output};
  for (const Json& argument : it.at("args")) {
    const auto word = argument.get<std::string>();
    words.push_back(files.contains(word) ? (folder.path() / word).string() : word);
  }
  const fs::path in = folder.path() / "stdin";
  return test::run(words, folder, fs::exists(in) ? in : "/dev/null");
}

std::vector<std::string> words_of(const Json& expect, const char* key) {
  return expect.value(key, std::vector<std::string>());
}

void check_figures(const Json& told, const Json& wanted) {
  REQUIRE(told.size() == wanted.size());
  for (std::size_t run = 0; run < wanted.size(); ++run) {
    for (const auto& [key, value] : wanted[run].items()) {
      INFO("run " << run << ", " << key << ": " << told[run]["figures"].dump());
      REQUIRE(told[run]["figures"].contains(key));
      const Json& figure = told[run]["figures"][key];
      if (value.is_null())
        CHECK(figure.is_null());
      else
        CHECK(figure.get<double>() == Approx(value.get<double>()).margin(0.0005));
    }
  }
}

void check(const Json& it) {
  const Json& expect = it.at("expect");
  const test::Outcome json = run_sim(it, "json");
  INFO(json.err);
  CHECK(json.status == expect.at("status").get<int>());
  for (const std::string& part : words_of(expect, "stderr")) CHECK_THAT(json.err, Catch::Contains(part));
  if (json.status == 2) {
    CHECK(json.out.empty());
    return;
  }
  const Json output = Json::parse(json.out, nullptr, false);
  REQUIRE(output.is_object());
  if (expect.contains("figures")) check_figures(output["runs"], expect["figures"]);
  if (expect.contains("kept")) {
    std::vector<bool> kept;
    for (const Json& bound : output["bounds"]) kept.push_back(bound["kept"].get<bool>());
    CHECK(kept == expect["kept"].get<std::vector<bool>>());
  }
  if (!expect.contains("text")) return;
  const test::Outcome text = run_sim(it, "text");
  CHECK(text.status == json.status);
  for (const std::string& part : words_of(expect, "text")) CHECK_THAT(text.out, Catch::Contains(part));
}

}  // namespace

TEST_CASE("muster sim: every case of tests/cases/sim is as it says") {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(test::source_dir() + "/tests/cases/sim")) {
    for (const Json& it : read_cases(entry.path())) {
      ++count;
      DYNAMIC_SECTION(entry.path().filename().string() << ": " << it.at("title").get<std::string>()) {
        check(it);
      }
    }
  }
  CHECK(count > 0);
}

}  // namespace muster
