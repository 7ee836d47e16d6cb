#include "base/audit_line.h"

#include "base/json_text.h"
#include "base/log.h"

namespace muster {

AuditLine::AuditLine(std::string_view what, std::string_view who) {
  add("what", what);
  add("who", who);
}

AuditLine& AuditLine::add(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  if (text_.size() > 1) text_ += ',';
  append_json_string(text_, name);
  text_ += ':';
  append_json_string(text_, value);
  return *this;
}

AuditLine& AuditLine::add_pod(std::string_view ns, std::string_view name, std::string_view uid) {
  return add("pod", std::string(ns) + "/" + std::string(name)).add("uid", uid);
}

AuditLine& AuditLine::add(const Result<void>& result) {
  add("result", result ? "ok" : to_string(result.error().code));
  return result ? *this : add("error", result.error().message);
}

void AuditLine::write() const { log_info("audit {}", text()); }

}  // namespace muster
