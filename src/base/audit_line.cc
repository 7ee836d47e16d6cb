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
  begin_field(name);
  append_json_string(text_, value);
  return *this;
}

AuditLine& AuditLine::add(std::string_view name, uint64_t number) {
  begin_field(name);
  text_ += std::to_string(number);
  return *this;
}

AuditLine& AuditLine::add_pod(std::string_view ns, std::string_view name, std::string_view uid) {
  return add("pod", std::string(ns) + "/" + std::string(name)).add("uid", uid);
}

AuditLine& AuditLine::add(const Result<void>& result) {
  add("result", result ? "ok" : to_string(result.error().code));
  return result ? *this : add("error", result.error().message);
}

void AuditLine::begin_field(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  append_json_string(text_, name);
  text_ += ':';
}

void AuditLine::write() const { log_audit(text()); }

}  // namespace muster
