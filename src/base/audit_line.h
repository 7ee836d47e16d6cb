// One line of the audit trail, as JSON: what was decided, on whose behalf, about which pod, why. Texts come
// out as JSON strings, so that no name or message can make a second line or a field of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace muster {

class AuditLine {
 public:
  // what: "bind", "evict" or "refuse". who: "muster" for its own decisions, else whose call it was.
  AuditLine(std::string_view what, std::string_view who);

  // A field without a value is left out.
  AuditLine& add(std::string_view name, std::string_view value);
  AuditLine& add(std::string_view name, uint64_t number);
  AuditLine& add_pod(std::string_view ns, std::string_view name, std::string_view uid);
  // "result", and "error" with its words.
  AuditLine& add(const Result<void>& result);

  [[nodiscard]] std::string text() const { return text_ + "}"; }
  // Writes it to the log, at every level.
  void write() const;

 private:
  void begin_field(std::string_view name);

  std::string text_ = "{";
};

}  // namespace muster
