// Fills the store from a cluster file: YAML with any number of documents, each an object of a served kind or
// a list of such, as `kubectl get nodes,pods -A -o yaml` prints it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "embedded/admission.h"
#include "embedded/store.h"

namespace muster::embedded {

// A pod without node and status is taken as newly created, every other object as it is written. kInvalid
// begins with "source:line" and names object and field; what came before it in the text is in the store.
[[nodiscard]] Result<void> load_yaml(std::string_view text, const std::string& source,
                                     const AdmissionOptions& admission, Store& store);

// kInvalid also when the file cannot be read or is empty.
[[nodiscard]] Result<void> load_file(const std::string& path, const AdmissionOptions& admission,
                                     Store& store);

}  // namespace muster::embedded
