// What a credential plugin prints.
#include "fuzz/target.h"
#include "kube/exec_plugin.h"

MUSTER_FUZZ_TARGET(exec_credential) {
  using namespace muster::kube;
  const auto credential = parse_exec_credential(input, "client.authentication.k8s.io/v1", 1'700'000'000);
  if (credential) EXPECT_THAT(!credential->token.empty() || !credential->client_cert.empty());
}
