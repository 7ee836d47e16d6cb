// A kubeconfig, split in two files at its first "%%%": it gives an access or words about what is wrong, and
// the words show no secret.
#include "kube/kubeconfig.h"

#include "fuzz/target.h"
#include "kube/credentials.h"

MUSTER_FUZZ_TARGET(kubeconfig) {
  using namespace muster;
  using namespace muster::kube;
  const auto cut = input.find("%%%");
  const std::string first(input.substr(0, cut));
  const std::string second(cut == std::string_view::npos ? std::string_view{} : input.substr(cut + 3));
  Environment environment;
  environment.variable = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  environment.read_file = [&](const std::string& path) -> Result<std::string> {
    if (path == "/etc/a") return first;
    if (path == "/etc/b") return second;
    return invalid("{} cannot be read: No such file or directory", path);
  };
  environment.exists = [](const std::string&) { return true; };
  const auto access = access_from_kubeconfig({"/etc/a", "/etc/b"}, environment);
  if (!access) {
    EXPECT_THAT(!access.error().message.empty());
    return;
  }
  // A plugin is not run: the input would choose the program.
  if (access->exec) return;
  const SteadyClock clock;
  Credentials credentials(*access, clock, environment.read_file);
  (void)credentials.current();
}
