#include "extender/pod_identity.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/pod_keys.h"
#include "base/text.h"

namespace muster::extender {
namespace {

using nlohmann::json;

enum class Place { kOutside, kPod, kMetadata, kAnnotations, kSpec, kOther };

// A reader of nlohmann's that remembers where it is and keeps nine values.
class IdentityReader : public json::json_sax_t {
 public:
  explicit IdentityReader(PodIdentity& out) : out_(out) {}

  bool null() override { return true; }
  bool boolean(bool value) override { return other_value(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return whole_number(value); }
  bool number_unsigned(number_unsigned_t value) override { return whole_number(value); }
  bool number_float(number_float_t, const string_t& text) override { return other_value(text); }
  bool binary(binary_t&) override { return false; }

  bool string(string_t& value) override {
    if (std::string* field = wanted()) {
      *field = std::move(value);
      return true;
    }
    const char* other = expected();
    return other ? wrong_type(muster::quoted(value), other) : true;
  }

  bool start_object(std::size_t) override {
    if (!wants_object() && expected()) return wrong_type("an object", expected());
    Place inside = place_of_object();
    stack_.push_back(place_);
    place_ = inside;
    return true;
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override {
    if (!other_value("a list")) return false;
    stack_.push_back(place_);
    place_ = Place::kOther;
    return true;
  }
  bool end_array() override { return leave(); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    if (place_ == Place::kAnnotations && out_.muster_key.empty() && key_.starts_with(keys::kPrefix))
      out_.muster_key = key_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    error_ = Error{ErrorCode::kInvalid, fmt::format("Pod is not JSON: {}", error.what())};
    return false;
  }

  [[nodiscard]] Error error() const {
    return error_.value_or(Error{ErrorCode::kInvalid, "Pod is not an object"});
  }

 private:
  bool leave() {
    place_ = stack_.back();
    stack_.pop_back();
    return true;
  }

  // Where the value behind the current key is kept, if anywhere.
  std::string* wanted() {
    switch (place_) {
      case Place::kMetadata:
        if (key_ == "name") return &out_.name;
        if (key_ == "namespace") return &out_.ns;
        if (key_ == "uid") return &out_.uid;
        return nullptr;
      case Place::kAnnotations:
        if (key_ == keys::kGroupName) return &out_.group_name;
        if (key_ == keys::kPlan) return &out_.plan;
        return nullptr;
      case Place::kSpec:
        return key_ == "schedulerName" ? &out_.scheduler_name : nullptr;
      default:
        return nullptr;
    }
  }

  Place place_of_object() {
    if (place_ == Place::kOutside) return Place::kPod;
    if (place_ == Place::kPod && key_ == "metadata") return Place::kMetadata;
    if (place_ == Place::kPod && key_ == "spec") return Place::kSpec;
    if (place_ == Place::kMetadata && key_ == "annotations") return Place::kAnnotations;
    if (place_ == Place::kSpec && key_ == "schedulingGroup") out_.in_native_group = true;
    return Place::kOther;
  }

  [[nodiscard]] bool wants_object() const {
    return place_ == Place::kOutside || (place_ == Place::kPod && (key_ == "metadata" || key_ == "spec")) ||
           (place_ == Place::kMetadata && key_ == "annotations") ||
           (place_ == Place::kSpec && key_ == "schedulingGroup");
  }

  [[nodiscard]] bool wants_number() const { return place_ == Place::kSpec && key_ == "priority"; }

  // What the value behind the current key has to be; null: it does not matter.
  const char* expected() {
    if (wanted() != nullptr) return "a string";
    if (wants_object()) return "an object";
    return wants_number() ? "a whole number of 32 bits" : nullptr;
  }

  template <typename Number>
  bool whole_number(Number value) {
    if (!wants_number() || !std::in_range<int32_t>(value)) return other_value(std::to_string(value));
    out_.priority = static_cast<int32_t>(value);
    return true;
  }

  bool other_value(const std::string& text) {
    const char* other = expected();
    return other ? wrong_type(text, other) : true;
  }

  bool wrong_type(const std::string& value, const char* expected) {
    std::string field = "Pod";
    if (place_ == Place::kMetadata) field += ".metadata";
    if (place_ == Place::kSpec) field += ".spec";
    if (place_ == Place::kAnnotations) field += ".metadata.annotations";
    if (place_ != Place::kOutside) field += "." + key_;
    error_ = Error{ErrorCode::kInvalid, fmt::format("{} is {}, not {}", field, value, expected)};
    return false;
  }

  PodIdentity& out_;
  std::optional<Error> error_;
  std::string key_;
  Place place_ = Place::kOutside;
  std::vector<Place> stack_;
};

}  // namespace

Result<PodIdentity> read_pod_identity(std::string_view pod_json) {
  PodIdentity out;
  IdentityReader reader(out);
  bool ok = json::sax_parse(pod_json, &reader);
  if (!ok) return tl::unexpected(reader.error());
  if (pod_json.find('{') == std::string_view::npos)
    return invalid("Pod is {}, not an object", muster::quoted(pod_json));
  if (out.name.empty()) return invalid("Pod.metadata.name is missing");
  if (out.ns.empty()) return invalid("Pod.metadata.namespace is missing");
  if (out.uid.empty()) return invalid("Pod.metadata.uid is missing");
  return out;
}

}  // namespace muster::extender
