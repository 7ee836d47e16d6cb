// muster-demo: see muster_demo/story.h.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "cmd/muster_demo/child.h"
#include "cmd/muster_demo/cluster.h"
#include "cmd/muster_demo/kube_scheduler.h"
#include "cmd/muster_demo/options.h"
#include "cmd/muster_demo/story.h"
#include "cmd/muster_demo/style.h"

namespace {

using muster::Result;
using std::chrono::milliseconds;
namespace demo = muster::demo;

constexpr milliseconds kStartTimeout{10000};
constexpr const char* kServing = "muster-extender: serving on ";
constexpr const char* kApi = "muster-extender: API on ";

Result<void> play(demo::Child& extender, const demo::Options& options, const demo::Style& style) {
  const auto api = extender.line_after(kApi, kStartTimeout);
  if (!api) return tl::unexpected(api.error());
  const auto verbs = extender.line_after(kServing, kStartTimeout);
  if (!verbs) return tl::unexpected(verbs.error());
  auto cluster = demo::Cluster::connect(*api);
  if (!cluster) return tl::unexpected(cluster.error());
  auto scheduler = demo::KubeScheduler::start(**cluster, *verbs);
  if (!scheduler) return tl::unexpected(scheduler.error());

  const bool watched = isatty(STDOUT_FILENO) == 1 && !options.fast;
  demo::Story story(**cluster, **scheduler, style, milliseconds(watched ? 900 : 0));
  auto played = story.play();
  // First the extender, so that no call of the scheduler is left waiting for an answer.
  const int status = extender.stop();
  if (played && status != 0) {
    return muster::fail(muster::ErrorCode::kInternal, "muster-extender ended with status {} after SIGTERM",
                        status);
  }
  return played;
}

void tell_how_to_try(const demo::Options& options) {
  fmt::print(R"(
Try it yourself. This stays up, with the same cluster:

  {} --config {} --cluster {} --api-port 8001

  # a group of one, then where Muster planned it (nominatedNodeName)
  curl -s localhost:8001/api/v1/namespaces/default/pods -d '{{"metadata":{{
    "name":"solo","annotations":{{"muster.dev/group-name":"solo","muster.dev/min-member":"1"}}}},
    "spec":{{"schedulerName":"muster","containers":[{{"name":"c","image":"none"}}]}}}}'
  curl -s localhost:8001/api/v1/namespaces/default/pods/solo

  # what kube-scheduler would be answered for a pod of no group
  curl -s localhost:9470/filter -d '{{"Pod":{{"metadata":{{"namespace":"default","name":"any",
    "uid":"1"}}}},"NodeNames":["b1-r1-h14","b1-r1-h15"]}}'
)",
             options.extender, options.config, options.cluster);
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = demo::parse_options(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const auto& options = std::get<demo::Options>(parsed);
  signal(SIGPIPE, SIG_IGN);

  auto extender = demo::Child::start(
      {options.extender, "--config", options.config, "--cluster", options.cluster, "--port", "0"});
  if (!extender) {
    fmt::print(stderr, "muster-demo: {}: {}\n", options.extender, extender.error().message);
    return 1;
  }
  const demo::Style style = demo::style_of_stdout();
  const auto played = play(**extender, options, style);
  if (!played) {
    fmt::print(stderr, "\n{}: {}\nmuster-extender's last lines:\n{}",
               demo::painted(style, demo::Ink::kRed, "muster-demo"), played.error().message,
               (*extender)->last_lines(15));
    return 1;
  }
  tell_how_to_try(options);
  return 0;
}
