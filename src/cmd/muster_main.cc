// muster: the command line for people.

#include "cmd/muster/plan_command.h"

int main(int argc, char** argv) {
  CLI::App app("Muster: groups of pods, placed as one", "muster");
  app.set_version_flag("--version", "muster " MUSTER_VERSION);
  app.require_subcommand(1);
  muster::cmd::PlanOptions plan;
  muster::cmd::add_plan_command(app, plan);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return muster::cmd::run_plan(plan);
}
