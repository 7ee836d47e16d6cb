#include "kube/yaml.h"

#include <yaml-cpp/yaml.h>

#include <set>
#include <utility>

#include "base/json_text.h"
#include "base/text.h"
#include "kube/yaml_scalar.h"
#include "yaml/documents.h"

namespace muster::kube {
namespace {

constexpr int kMaxDepth = 100;
// How many times its text the JSON of a document may be; only aliases bring it beyond two or three.
constexpr std::size_t kMaxGrowth = 20;
constexpr std::size_t kAlwaysAllowed = std::size_t{64} << 10;

// Merged maps add work without adding output, so that the limit above does not bound them. One that is
// written out ("<<: *a") takes more than four bytes.
constexpr std::size_t kBytesForMerge = 4;
constexpr std::size_t kMergesAlwaysAllowed = 1'000;

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

struct BadYaml {
  YAML::Mark mark;
  std::string message;
};

[[noreturn]] void fail_at(const YAML::Node& node, std::string message) {
  throw BadYaml{node.Mark(), std::move(message)};
}

// The JSON token of a scalar, by its tag: "?" is unquoted, "!" is quoted or a block.
std::string json_of_scalar(const YAML::Node& node) {
  const std::string& tag = node.Tag();
  const std::string_view name = tag.compare(0, kTagPrefix.size(), kTagPrefix) == 0
                                    ? std::string_view(tag).substr(kTagPrefix.size())
                                    : tag;
  std::string json;
  if (name == "!" || name == "str") {
    append_json_string(json, node.Scalar());
    return json;
  }
  if (name != "?" && name != "" && name != "int" && name != "float" && name != "bool" && name != "null" &&
      name != "timestamp") {
    fail_at(node, "unknown tag");  // not shown: a secret without quotes may begin with "!"
  }
  auto plain = json_of_plain_scalar(node.Scalar());
  if (!plain) fail_at(node, muster::quoted(node.Scalar()) + " has no meaning in JSON");
  return *std::move(plain);
}

std::string key_of(const YAML::Node& key) {
  if (!key.IsScalar()) fail_at(key, "a key must be a text");
  const std::string token = json_of_scalar(key);
  return token.front() == '"' ? key.Scalar() : token;
}

class Converter {
 public:
  explicit Converter(std::size_t text_size)
      : limit_(kAlwaysAllowed + kMaxGrowth * text_size),
        max_merges_(kMergesAlwaysAllowed + text_size / kBytesForMerge) {}

  std::string convert(const YAML::Node& node) {
    append(node, 0);
    return std::move(out_);
  }

 private:
  using Field = std::pair<std::string, YAML::Node>;

  void append(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth) fail_at(node, fmt::format("nested deeper than {} levels", kMaxDepth));
    if (out_.size() > limit_) fail_at(node, "the aliases make the document too large");
    if (node.IsMap()) {
      append_map(node, depth);
    } else if (node.IsSequence()) {
      append_list(node, depth);
    } else if (node.IsScalar()) {
      out_ += json_of_scalar(node);
    } else {
      out_ += "null";
    }
  }

  void append_list(const YAML::Node& node, int depth) {
    out_ += '[';
    bool first = true;
    for (const auto& element : node) {
      if (!std::exchange(first, false)) out_ += ',';
      append(element, depth + 1);
    }
    out_ += ']';
  }

  void append_map(const YAML::Node& node, int depth) {
    out_ += '{';
    bool first = true;
    for (const auto& [key, value] : fields_of(node, depth)) {
      if (!std::exchange(first, false)) out_ += ',';
      append_json_string(out_, key);
      out_ += ':';
      append(value, depth + 1);
    }
    out_ += '}';
  }

  // The fields in order, the merged ones last.
  std::vector<Field> fields_of(const YAML::Node& map, int depth) {
    std::vector<Field> fields;
    std::set<std::string> seen;
    std::vector<YAML::Node> merged;
    for (const auto& entry : map) {
      if (entry.first.IsScalar() && entry.first.Tag() == "?" && entry.first.Scalar() == "<<") {
        merged.push_back(entry.second);
        continue;
      }
      std::string key = key_of(entry.first);
      if (!seen.insert(key).second) fail_at(entry.first, "the key " + muster::quoted(key) + " occurs twice");
      fields.emplace_back(std::move(key), entry.second);
    }
    for (const auto& source : merged) merge(source, depth, fields, seen);
    return fields;
  }

  void merge(const YAML::Node& source, int depth, std::vector<Field>& fields, std::set<std::string>& seen) {
    if (depth > kMaxDepth) fail_at(source, fmt::format("nested deeper than {} levels", kMaxDepth));
    if (source.IsSequence()) {
      for (const auto& element : source) merge(element, depth + 1, fields, seen);
      return;
    }
    if (!source.IsMap()) fail_at(source, "the value of << must be a map");
    if (++merges_ > max_merges_) fail_at(source, "too many merged maps");
    for (auto& field : fields_of(source, depth + 1)) {
      if (seen.insert(field.first).second) fields.push_back(std::move(field));
    }
  }

  const std::size_t limit_;
  const std::size_t max_merges_;
  std::string out_;
  std::size_t merges_ = 0;
};

// Runs read(documents) and turns yaml-cpp's exceptions and ours into errors with the position.
template <typename Read>
auto with_documents(std::string_view text, std::string_view source, Read&& read)
    -> Result<decltype(read(std::vector<YAML::Node>{}))> {
  const auto positioned = [&](const YAML::Mark& mark, std::string_view message) {
    if (mark.is_null())
      return tl::unexpected(Error{ErrorCode::kInvalid, fmt::format("{}: {}", source, message)});
    return tl::unexpected(Error{
        ErrorCode::kInvalid, fmt::format("{}:{}:{}: {}", source, mark.line + 1, mark.column + 1, message)});
  };
  try {
    // yaml-cpp lets the text end inside a quoted scalar; a document that begins there it does not.
    return read(yaml::documents_of(std::string(text) + "\n---\n"));
  } catch (const BadYaml& e) {
    return positioned(e.mark, e.message);
  } catch (const YAML::Exception& e) {
    return positioned(e.mark, yaml::message_of(e));
  }
}

int line_of(const YAML::Node& node) { return node.Mark().is_null() ? 1 : node.Mark().line + 1; }

std::string text_field(const YAML::Node& map, const char* key) {
  const YAML::Node value = map[key];
  return value && value.IsScalar() ? value.Scalar() : std::string{};
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

void append_objects(const YAML::Node& document, std::size_t text_size, std::vector<YamlObject>& objects) {
  if (!document.IsMap()) fail_at(document, "expected an object with fields");
  const std::string kind = text_field(document, "kind");
  const YAML::Node items = document["items"];
  if (!ends_with(kind, "List") || !items) {
    objects.push_back({kind, Converter(text_size).convert(document), line_of(document)});
    return;
  }
  if (!items.IsSequence() && !items.IsNull()) fail_at(items, "items must be a list");
  const std::string item_kind = kind.substr(0, kind.size() - 4);
  for (const auto& item : items) {
    if (!item.IsMap()) fail_at(item, "expected an object with fields");
    const std::string own_kind = text_field(item, "kind");
    objects.push_back(
        {own_kind.empty() ? item_kind : own_kind, Converter(text_size).convert(item), line_of(item)});
  }
}

}  // namespace

Result<std::vector<YamlDocument>> yaml_to_json(std::string_view text, std::string_view source) {
  return with_documents(text, source, [&](const std::vector<YAML::Node>& nodes) {
    std::vector<YamlDocument> documents;
    for (const auto& node : nodes) {
      if (node.IsDefined() && !node.IsNull())
        documents.push_back({Converter(text.size()).convert(node), line_of(node)});
    }
    return documents;
  });
}

Result<std::vector<YamlObject>> yaml_to_objects(std::string_view text, std::string_view source) {
  return with_documents(text, source, [&](const std::vector<YAML::Node>& nodes) {
    std::vector<YamlObject> objects;
    for (const auto& node : nodes) {
      if (node.IsDefined() && !node.IsNull()) append_objects(node, text.size(), objects);
    }
    return objects;
  });
}

}  // namespace muster::kube
