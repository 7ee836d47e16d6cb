// Every case of tests/cases but those of `muster sim` is a test of the real program.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "case_file.h"
#include "domains.h"
#include "program.h"
#include "support/paths.h"
#include "witness.h"

namespace muster::plan_cases {
namespace {

// Bounds on time hold for what ships; a build with checks gets more.
#ifdef NDEBUG
constexpr int64_t kPatience = 1;
#else
constexpr int64_t kPatience = 20;
#endif
constexpr std::size_t kSmall = 100;  // objects; such cases are run in other orders too

std::vector<std::string> words(const Json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? std::vector<std::string>{value.get<std::string>()}
                           : value.get<std::vector<std::string>>();
}

void check_says(const std::string& text, const Json& wanted, const Json& unwanted = {}) {
  for (const std::string& part : words(wanted)) CHECK_THAT(text, Catch::Contains(part));
  for (const std::string& part : words(unwanted)) CHECK_THAT(text, !Catch::Contains(part));
}

bool only_warnings(const std::string& err) {
  std::istringstream lines(err);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("muster plan: warning: ", 0) != 0) return false;
  }
  return true;
}

Json decided(const Case& it, std::vector<std::string> arguments, const std::vector<TextFile>& files,
             Outcome& outcome) {
  arguments.insert(arguments.end(), {"-o", "json"});
  outcome = run_plan(arguments, files);
  INFO(outcome.err);
  CHECK(outcome.status == it.expect.at("status").get<int>());
  if (outcome.status == 2) {
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Catch::StartsWith("muster plan: ") || Catch::Contains("\nRun with --help"));
    return Json::array();
  }
  CHECK(only_warnings(outcome.err));
  const Json output = Json::parse(outcome.out, nullptr, false);
  REQUIRE(output.is_object());
  return output.at("groups");
}

// What differs from run to run.
Json without_time(Json groups) {
  for (Json& group : groups) group.erase("micros");
  return groups;
}

// By name, or by NAMESPACE/NAME.
const Json* find_group(const Json& groups, const std::string& name) {
  for (const Json& group : groups) {
    if (group["name"] == name) return &group;
    if (group["namespace"].get<std::string>() + "/" + group["name"].get<std::string>() == name) return &group;
  }
  return nullptr;
}

// How many placed members each domain has, most first.
std::vector<int> counts(const Json& group, const Case& it, const std::string& level) {
  const Domains domains(it.trees);
  std::map<std::string, int> by_domain;
  for (const Json& pod : group["pods"]) {
    for (const Json& node : it.nodes) {
      if (node["metadata"]["name"] == pod["node"]) ++by_domain[domains.of(node, level).value_or("(none)")];
    }
  }
  std::vector<int> sorted;
  for (const auto& [domain, count] : by_domain) sorted.push_back(count);
  std::sort(sorted.rbegin(), sorted.rend());
  return sorted;
}

void check_places(const Json& group, const Json& wanted, const Case& it) {
  const Json domains = wanted.value("domains", Json::object());
  for (const auto& [level, used] : domains.items()) {
    INFO("domains of " << level << ": " << group["domains"].dump());
    if (used.is_number())
      CHECK(group["domains"].at(level).size() == used.get<std::size_t>());
    else
      CHECK(group["domains"].at(level) == used);
  }
  const Json spread = wanted.value("spread", Json::object());
  for (const auto& [level, wanted_counts] : spread.items()) {
    INFO("level " << level);
    CHECK(counts(group, it, level) == wanted_counts.get<std::vector<int>>());
  }
  std::map<std::string, Json> pods;
  std::set<std::string> nodes;
  for (const Json& pod : group["pods"]) {
    pods[pod["name"]] = pod;
    nodes.insert(pod["node"]);
  }
  if (wanted.contains("nodes")) CHECK(nodes.size() == wanted["nodes"].get<std::size_t>());
  const Json seats = wanted.value("pods", Json::object());
  for (const auto& [name, node] : seats.items()) {
    INFO("pod " << name);
    REQUIRE(pods.contains(name));
    CHECK(pods[name]["node"] == node);
  }
  const Json ranks = wanted.value("ranks", Json::object());
  for (const auto& [name, rank] : ranks.items()) {
    INFO("pod " << name);
    REQUIRE(pods.contains(name));
    CHECK(pods[name]["rank"] == rank);
  }
}

bool has_all(const Json& whole, const Json& part) {
  for (const auto& [key, value] : part.items()) {
    if (!whole.contains(key) || whole[key] != value) return false;
  }
  return true;
}

// Every wanted object is part of one of those told.
void check_listed(const Json& told, const Json& wanted) {
  for (const Json& one : wanted) {
    INFO("wanted " << one.dump() << " in " << told.dump());
    CHECK(std::any_of(told.begin(), told.end(),
                      [&](const Json& candidate) { return has_all(candidate, one); }));
  }
}

void check_group(const Json& group, const Json& wanted, const Case& it) {
  INFO(group.dump());
  CHECK(group["verdict"] == wanted["verdict"]);
  if (wanted.contains("placed")) CHECK(group["placed"] == wanted["placed"]);
  check_places(group, wanted, it);
  const Json reason = group.value("reason", Json::object());
  if (wanted.contains("code")) CHECK(reason.value("code", "") == wanted["code"]);
  if (wanted.contains("subgroup")) CHECK(reason.value("subgroup", "") == wanted["subgroup"]);
  check_says(reason.value("message", ""), wanted.value("says", Json()), wanted.value("says_not", Json()));
  check_listed(reason.value("nearest", Json::array()), wanted.value("nearest", Json::array()));
  check_listed(reason.value("remedies", Json::array()), wanted.value("remedies", Json::array()));
  if (wanted.contains("steps")) CHECK(group["steps"].get<int64_t>() <= wanted["steps"].get<int64_t>());
}

// The best of several runs: the machine has other things to do.
void check_time(Json groups, const Case& it, const std::vector<TextFile>& files) {
  const Json expected = it.expect.value("groups", Json::object());
  for (const auto& [name, wanted] : expected.items()) {
    if (!wanted.contains("within")) continue;
    const int64_t limit = wanted["within"].get<int64_t>() * kPatience;
    int64_t best = INT64_MAX;
    for (int run = 0; run < 8 && best > limit; ++run) {
      if (const Json* group = find_group(groups, name))
        best = std::min(best, (*group)["micros"].get<int64_t>());
      if (best <= limit) break;
      Outcome again;
      groups = decided(it, it.arguments, files, again);
    }
    INFO("microseconds of group " << name);
    CHECK(best <= limit);
  }
}

void check_output(const Case& it, const std::string& format) {
  INFO("delivered as " << format);
  const std::vector<TextFile> files = rendered(it, format);
  Outcome outcome;
  const Json groups = decided(it, it.arguments, files, outcome);
  check_says(outcome.err, it.expect.value("stderr", Json()));
  if (outcome.status == 2) return;
  for (const std::string& objection : objections(it, groups)) FAIL_CHECK(objection);
  const Json expected = it.expect.value("groups", Json::object());
  for (const auto& [name, wanted] : expected.items()) {
    const Json* group = find_group(groups, name);
    INFO("group " << name);
    REQUIRE(group);
    check_group(*group, wanted, it);
  }
  CHECK(groups.size() == expected.size());
  std::vector<std::string> order;
  for (const Json& group : groups) order.push_back(group["name"]);
  if (it.expect.contains("order")) CHECK(order == it.expect["order"].get<std::vector<std::string>>());
  check_time(groups, it, files);
}

// The order of nodes in the input says nothing.
void check_reversed(const Case& it) {
  if (it.objects.empty() || it.nodes.size() + it.pods.size() > kSmall || it.expect["status"] == 2) return;
  INFO("nodes in the other order");
  Case turned = it;
  std::stable_sort(turned.objects.begin(), turned.objects.end(), [](const Json& a, const Json& b) {
    if (a["kind"] != "Node") return false;
    return b["kind"] != "Node" || a["metadata"]["name"] > b["metadata"]["name"];
  });
  Outcome here;
  Outcome there;
  const Json one = decided(it, it.arguments, rendered(it, "list"), here);
  const Json other = decided(it, it.arguments, rendered(turned, "list"), there);
  CHECK(without_time(one) == without_time(other));
}

void check_text(const Case& it) {
  if (!it.expect.contains("text") && !it.expect.contains("not_text")) return;
  std::vector<std::string> arguments = it.arguments;
  arguments.push_back("--explain");
  const Outcome outcome = run_plan(arguments, rendered(it, it.formats.front()));
  CHECK(outcome.status == it.expect["status"].get<int>());
  check_says(outcome.out, it.expect.value("text", Json()), it.expect.value("not_text", Json()));
}

class CaseTest : public Catch::ITestInvoker {
 public:
  explicit CaseTest(Case it) : case_(std::move(it)) {}

  void invoke() const override {
    INFO("tests/cases/" << case_.id << ".yaml");
    for (const std::string& format : case_.formats) check_output(case_, format);
    check_reversed(case_);
    check_text(case_);
  }

 private:
  const Case case_;
};

class Broken : public Catch::ITestInvoker {
 public:
  explicit Broken(std::string what) : what_(std::move(what)) {}
  void invoke() const override { FAIL(what_); }

 private:
  const std::string what_;
};

std::vector<std::filesystem::path> case_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(test::source_dir() + "/tests/cases")) {
    if (entry.path().extension() == ".yaml" && entry.path().parent_path().filename() != "sim")
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Catch2 owns the invokers.
class Registration {
 public:
  Registration() {
    for (const auto& path : case_files()) {
      try {
        for (Case& it : read_cases(path.string())) {
          const std::string name = it.id + ": " + it.title;
          add(new CaseTest(std::move(it)), name);
        }
      } catch (const std::exception& error) {
        add(new Broken(error.what()), path.filename().string() + " is a case");
      }
    }
  }

 private:
  void add(Catch::ITestInvoker* test, const std::string& name) {
    tests_.push_back(std::make_unique<Catch::AutoReg>(test, CATCH_INTERNAL_LINEINFO, "",
                                                      Catch::NameAndTags{name, "[case]"}));
  }

  std::vector<std::unique_ptr<Catch::AutoReg>> tests_;
};

const Registration registration;

}  // namespace
}  // namespace muster::plan_cases
