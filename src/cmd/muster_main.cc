// muster: the command line for people.

#include "cmd/command_line.h"
#include "cmd/muster/plan_command.h"
#include "cmd/muster/sim_command.h"

int main(int argc, char** argv) {
  CLI::App app("Muster: groups of pods, placed as one", "muster");
  app.set_version_flag("--version", "muster " MUSTER_VERSION);
  app.require_subcommand(1);
  muster::cmd::PlanOptions plan;
  muster::cmd::SimOptions sim;
  muster::cmd::add_plan_command(app, plan);
  const CLI::App* sim_command = muster::cmd::add_sim_command(app, sim);
  if (const auto status = muster::cmd::parse(app, argc, argv)) return *status;
  return sim_command->parsed() ? muster::cmd::run_sim(sim) : muster::cmd::run_plan(plan);
}
