// All documents of a YAML text. yaml-cpp 0.7's own LoadAll never ends, and takes memory without end, when a
// document begins with what none can begin with: ",", "]" or "}".
//
// Throws YAML::Exception like yaml-cpp itself; the caller is the adapter that it stops in. The text is parsed
// twice: once to see that the parser gets ahead, once to keep the nodes.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

namespace muster::yaml {

[[nodiscard]] std::vector<YAML::Node> documents_of(const std::string& text);

// What yaml-cpp says, on one line: it repeats characters of the text as they are, an escaped line break for
// one.
[[nodiscard]] std::string message_of(const YAML::Exception& error);

}  // namespace muster::yaml
