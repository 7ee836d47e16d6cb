// Strict reading of one YAML document: every key has to be asked for, every value has to have the asked type
// and range. The first mistake is kept and everything after it is skipped, so that a caller reads the whole
// shape without looking at errors in between. Private to this folder.
//
// Sections point into the Document and must not outlive it.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace muster::config {

struct Document {
  std::string source;
  std::optional<Error> error;

  // Keeps the first mistake: "<source>:<line>: <path>: <message>".
  void mistake(const YAML::Mark& mark, std::string_view path, std::string_view message);
  void mistake(const YAML::Mark& mark, std::string_view path, const Error& cause) {
    mistake(mark, path, cause.message);
  }
};

// One value and where it stands.
class Value {
 public:
  Value(Document& document, YAML::Node node, std::string path, const YAML::Mark& mark)
      : document_(&document), node_(std::move(node)), path_(std::move(path)), mark_(mark) {}

  // Each reads the value into `out`, or records a mistake and leaves `out` alone.
  void read(std::string& out) const;
  void read(bool& out) const;
  void read(Duration& out, Duration least, Duration most) const;
  void read(uint64_t& out, uint64_t least, uint64_t most) const;
  void read(double& out, double least, double most) const;

  // The items of a list with 1…most entries; nothing, and a mistake, when it is none.
  [[nodiscard]] std::vector<Value> items(std::size_t most) const;

  void mistake(std::string_view message) const { document_->mistake(mark_, path_, message); }
  [[nodiscard]] Document& document() const { return *document_; }
  [[nodiscard]] const YAML::Node& node() const { return node_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const YAML::Mark& mark() const { return mark_; }

 private:
  // The scalar's text when it was written without quotes; a mistake that asks for `wanted` otherwise.
  [[nodiscard]] std::optional<std::string> plain(std::string_view wanted) const;

  Document* document_;
  YAML::Node node_;
  std::string path_;
  YAML::Mark mark_;
};

// A mapping. Keys are strings and stand once.
class Section {
 public:
  explicit Section(const Value& value);

  [[nodiscard]] std::optional<Value> find(std::string_view key);
  // As find(); finish() records a mistake when the key is missing.
  [[nodiscard]] std::optional<Value> require(std::string_view key);

  // find() and Value::read() in one: an absent key leaves `out` at its default.
  template <typename T, typename... Limits>
  void read(std::string_view key, T& out, Limits... limits) {
    if (const auto value = find(key)) value->read(out, limits...);
  }

  // Records a mistake for the first key that nobody asked for, else for the first required one that is
  // missing.
  void finish();

  void mistake(std::string_view message) const { document_->mistake(mark_, path_, message); }

 private:
  struct Entry {
    std::string key;
    YAML::Mark mark;
    Value value;
    bool asked = false;
  };

  void add(const YAML::Node& name, const YAML::Node& node);
  [[nodiscard]] std::string path_of(std::string_view key) const;

  Document* document_;
  std::string path_;
  YAML::Mark mark_;
  std::vector<Entry> entries_;
  std::vector<std::string> known_;
  std::vector<std::string> missing_;
};

}  // namespace muster::config
