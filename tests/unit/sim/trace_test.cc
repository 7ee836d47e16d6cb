#include "sim/trace.h"

#include <catch2/catch.hpp>
#include <string>

using namespace muster;
using namespace muster::sim;

namespace {

std::string error_of(const std::string& text) {
  const Result<Trace> trace = read_trace(text, "t.csv");
  return trace ? "" : trace.error().message;
}

}  // namespace

TEST_CASE("trace: columns come in any order, and groups in the order of their times") {
  const Result<Trace> trace = read_trace(
      "duration,gpus,time,members,constraint,priority,namespace\n"
      "# a remark\n"
      "60,8,10.5,2,,,\n"
      "\n"
      "90,4,3,16,\"topology-required=block slices=16@block,4@rack\",7,team\n",
      "t.csv");
  REQUIRE(trace);
  REQUIRE(trace->size() == 2);
  const Arrival& first = trace->at(0);
  CHECK(first.at == Duration(3'000));
  CHECK(first.members == 16);
  CHECK(first.gpus == 4);
  CHECK(first.duration == Duration(90'000));
  CHECK(first.priority == 7);
  CHECK(first.ns == "team");
  CHECK(first.line == 5);
  CHECK(first.asks ==
        kube::StringMap{{"muster.dev/topology-required", "block"}, {"muster.dev/slices", "16@block,4@rack"}});
  const Arrival& second = trace->at(1);
  CHECK(second.at == Duration(10'500));
  CHECK(second.priority == 0);
  CHECK(second.ns == "default");
  CHECK(second.asks.empty());
}

TEST_CASE("trace: a namespace is a name that Kubernetes takes, and a long one is shown in part") {
  const std::string head = "time,members,gpus,duration,namespace\n";
  const std::string why = " is not a DNS label (lower case letters, digits and '-', at most 63)";
  const auto refused = [&](const std::string& cell) { return error_of(head + "0,1,1,1," + cell + "\n"); };
  CHECK(refused("Bad Name") == "t.csv: line 2: namespace: \"Bad Name\"" + why);
  CHECK(refused("../x") == "t.csv: line 2: namespace: \"../x\"" + why);
  CHECK(refused("a\x1b[31m") == "t.csv: line 2: namespace: \"a\\x1b[31m\"" + why);
  CHECK(refused("a\xff").ends_with(why));
  CHECK(refused(std::string(2'000'000, 'n')) ==
        "t.csv: line 2: namespace: \"" + std::string(80, 'n') + "…\"" + why);
  CHECK(refused("team-7").empty());
}

TEST_CASE("trace: what is wrong is named by file, line, column and value") {
  const std::string head = "time,members,gpus,duration,priority,constraint\n";
  CHECK(error_of("time,member,gpus,duration\n") ==
        "t.csv: line 1: column \"member\" is not known, did you mean members?");
  CHECK(error_of("time,members,gpus\n") == "t.csv: line 1: column duration is missing");
  CHECK(error_of("time,time,members,gpus,duration\n") == "t.csv: line 1: column time is there twice");
  CHECK(error_of(head) == "t.csv: no group arrives");
  CHECK(error_of("") == "t.csv: no group arrives");
  CHECK(error_of(head + "0,1,1\n") == "t.csv: line 2: 3 cells, and the first line names 6");
  CHECK(error_of(head + "soon,1,1,9,0,\n") ==
        "t.csv: line 2: time: \"soon\" is not a number of seconds from 0 to 3200000000");
  CHECK(error_of(head + "nan,1,1,9,0,\n").find("time: \"nan\"") != std::string::npos);
  CHECK(error_of(head + "0,1,1,-9,0,\n").find("line 2: duration: \"-9\"") != std::string::npos);
  CHECK(error_of(head + "0,0,1,9,0,\n") ==
        "t.csv: line 2: members: \"0\" is not a whole number from 1 to 100000");
  CHECK(error_of(head + "0,2,0.5,9,0,\n").find("line 2: gpus: \"0.5\"") != std::string::npos);
  CHECK(error_of(head + "0,2,1,9,high,\n").find("line 2: priority: \"high\"") != std::string::npos);
  CHECK(error_of(head + "0,2,1,9,0,rack\n") == "t.csv: line 2: constraint: \"rack\" is not KEY=VALUE");
  CHECK(error_of(head + "0,2,1,9,0,topology-requird=rack\n").find("topology-required") != std::string::npos);
  for (const std::string word : {"min-member=3", "group-name=g", "rank=0"})
    CHECK(error_of(head + "0,2,1,9,0," + word + "\n") ==
          "t.csv: line 2: constraint: \"" + word + "\" follows from the line");
  for (const std::string word : {"plan=p1", "domain=d", "let-go=now", "restarts=3", "hold=1"})
    CHECK(error_of(head + "0,2,1,9,0," + word + "\n") ==
          "t.csv: line 2: constraint: \"" + word + "\" is for Muster alone to write");
  CHECK(error_of(head + "0,2,1,9,0,topology-required=rack topology-required=block\n") ==
        "t.csv: line 2: constraint: \"topology-required=block\": topology-required is there twice");
  CHECK(error_of(head + "0,2,1,9,0,\"open\n") == "t.csv: line 2: a quote that does not end");
}
