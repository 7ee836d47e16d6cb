// The numbers of one process, as Prometheus text. Names start with muster_, units are base units.
//
// Thread rule: everything is safe from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace muster::observe {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Gauges.
  void set_groups(std::string_view state, double count);
  void set_nodes(double count);
  void set_reservations(double count);   // members that are promised room and not bound yet
  void set_engine_queue(double length);  // events that wait for the engine
  void set_writes_waiting(double count);
  void set_bind_calls(double count);  // bind calls of kube-scheduler that wait for their barrier
  void set_ready(bool ready);

  // Counters and histograms.
  void count_plans(double more);
  void count_solver_steps(double more);
  void observe_advance(double seconds);          // one turn of the engine: deadlines, planning, publishing
  void count_filter(std::string_view decision);  // foreign, planned, held
  void count_write(std::string_view command,
                   std::string_view result);  // nominate, release, …; ok or the error's code
  void count_refused_node();

  [[nodiscard]] std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace muster::observe
