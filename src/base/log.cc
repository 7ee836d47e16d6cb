#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace muster {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Two loggers on one sink: the level is of the one, the other's lines are always written.
struct Loggers {
  Loggers() { sink->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v"); }

  const spdlog::sink_ptr sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  spdlog::logger leveled{"muster", sink};
  spdlog::logger audit{"audit", sink};
};

Loggers& loggers() {
  static Loggers instance;
  return instance;
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") return LogLevel::kDebug;
  if (text == "info") return LogLevel::kInfo;
  if (text == "warning") return LogLevel::kWarning;
  if (text == "error") return LogLevel::kError;
  return invalid("level: \"{}\" is none of debug, info, warning, error", text);
}

void set_log_level(LogLevel level) { loggers().leveled.set_level(to_spdlog(level)); }

void log_line(LogLevel level, std::string_view message) { loggers().leveled.log(to_spdlog(level), message); }

void log_audit(std::string_view line) { loggers().audit.info("audit {}", line); }

}  // namespace muster
