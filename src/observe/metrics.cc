#include "observe/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <fstream>

namespace muster::observe {
namespace {

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;

  prometheus::Family<prometheus::Gauge>& gauge_family(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  prometheus::Gauge& gauge(const char* name, const char* help) { return gauge_family(name, help).Add({}); }
  prometheus::Family<prometheus::Counter>& counter_family(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  prometheus::Counter& counter(const char* name, const char* help) {
    return counter_family(name, help).Add({});
  }

  prometheus::Family<prometheus::Gauge>& groups = gauge_family("muster_groups", "Groups by state.");
  prometheus::Gauge& nodes = gauge("muster_nodes", "Nodes in the books.");
  prometheus::Gauge& reservations =
      gauge("muster_reservations", "Members that are promised room and are not bound yet.");
  prometheus::Gauge& engine_queue = gauge("muster_engine_queue", "Events that wait for the engine.");
  prometheus::Gauge& writes_waiting =
      gauge("muster_api_writes_waiting", "Writes to the API that wait or are under way.");
  prometheus::Gauge& bind_calls =
      gauge("muster_bind_calls_waiting", "Bind calls that wait for their barrier.");
  prometheus::Gauge& ready = gauge("muster_ready", "1 once nodes and pods have been listed.");
  prometheus::Gauge& memory = gauge("process_resident_memory_bytes", "Resident memory size in bytes.");

  prometheus::Counter& plans = counter("muster_plans_total", "Questions put to the solver.");
  prometheus::Counter& steps = counter("muster_solver_steps_total", "Steps of the solver.");
  prometheus::Counter& refused =
      counter("muster_nodes_refused_total", "Planned nodes that kube-scheduler did not offer.");
  prometheus::Family<prometheus::Counter>& filters =
      counter_family("muster_filter_total", "Filter calls by decision.");
  prometheus::Family<prometheus::Counter>& writes =
      counter_family("muster_api_writes_total", "Writes to the API by command and result.");
  prometheus::Histogram& advance =
      prometheus::BuildHistogram()
          .Name("muster_engine_turn_seconds")
          .Help("One turn of the engine: deadlines, planning, publishing.")
          .Register(registry)
          .Add({}, prometheus::Histogram::BucketBoundaries{1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2,
                                                           0.1, 0.5, 1});
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::set_groups(std::string_view state, double count) {
  impl_->groups.Add({{"state", std::string(state)}}).Set(count);
}
void Metrics::set_nodes(double count) { impl_->nodes.Set(count); }
void Metrics::set_reservations(double count) { impl_->reservations.Set(count); }
void Metrics::set_engine_queue(double length) { impl_->engine_queue.Set(length); }
void Metrics::set_writes_waiting(double count) { impl_->writes_waiting.Set(count); }
void Metrics::set_bind_calls(double count) { impl_->bind_calls.Set(count); }
void Metrics::set_ready(bool ready) { impl_->ready.Set(ready ? 1 : 0); }
void Metrics::count_plans(double more) { impl_->plans.Increment(more); }
void Metrics::count_solver_steps(double more) { impl_->steps.Increment(more); }
void Metrics::observe_advance(double seconds) { impl_->advance.Observe(seconds); }
void Metrics::count_filter(std::string_view decision) {
  impl_->filters.Add({{"decision", std::string(decision)}}).Increment();
}
void Metrics::count_write(std::string_view command, std::string_view result) {
  impl_->writes.Add({{"command", std::string(command)}, {"result", std::string(result)}}).Increment();
}
void Metrics::count_refused_node() { impl_->refused.Increment(); }

std::string Metrics::text() const {
  impl_->memory.Set(resident_bytes());
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace muster::observe
