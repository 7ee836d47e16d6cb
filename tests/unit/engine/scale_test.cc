// What an event costs must not grow with the groups that it has nothing to do with.
#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>
#include <string>
#include <vector>

#include "desk.h"
#include "engine/timetable.h"

using namespace muster;
using namespace muster::group;
using muster::test::bound_to;
using muster::test::Desk;
using muster::test::make_member;
using muster::test::make_node;
using muster::test::make_pod;

namespace {

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// A full node and so many groups that wait for it.
struct Crowd : Desk {
  explicit Crowd(int groups) {
    std::vector<kube::Pod> pods{bound_to(make_pod("hog"), "n1")};
    for (int i = 0; i < groups; ++i) {
      const std::string number = std::to_string(i);
      pods.push_back(make_member("m" + number, "g" + number, 1));
    }
    list_nodes({make_node("n1", "b1", "r1")});
    list_pods(pods);
    settle();
    static_cast<void>(seconds_of_events());  // the first turns still build what the others find
  }

  // The least of a few: what runs beside it takes caches away.
  double least_seconds_of_events() {
    double least = seconds_of_events();
    for (int again = 0; again < 4; ++again) least = std::min(least, seconds_of_events());
    return least;
  }

  double seconds_of_events() {
    const double begin = cpu_seconds();
    for (int i = 0; i < 200; ++i) {
      now += Duration(1);
      see(make_member("late", "late", 2 + i % 2));
      advance();
    }
    return cpu_seconds() - begin;
  }
};

}  // namespace

TEST_CASE("An event of one group costs the same with a hundred times as many groups waiting") {
  Crowd few(30);
  Crowd many(3'000);
  REQUIRE(many.state("g2999") == State::kPending);
  const double alone = few.least_seconds_of_events();
  CHECK(many.least_seconds_of_events() < 10 * alone);
}

TEST_CASE("A timetable names what is due, the earliest first, and each once") {
  engine::Timetable<std::string> times;
  const auto at = [](int ms) { return TimePoint(Duration(ms)); };
  CHECK_FALSE(times.next());
  times.set("b", at(20));
  times.set("a", at(30));
  times.set("c", at(40));
  times.set("d", at(10));
  CHECK(times.next() == at(10));
  times.set("d", at(35));  // in the place of the first
  times.set("c", std::nullopt);
  CHECK(times.next() == at(20));
  CHECK(times.take_due(at(19)).empty());
  CHECK(times.take_due(at(30)) == std::vector<std::string>{"b", "a"});
  CHECK(times.take_due(at(30)).empty());
  CHECK(times.next() == at(35));
}
