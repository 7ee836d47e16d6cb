// One node or pod as JSON: what decodes twice gives the same, and sums of hostile numbers stay sums.
#include "fuzz/target.h"
#include "kube/decode.h"
#include "kube/fingerprint.h"
#include "kube/selector.h"

MUSTER_FUZZ_TARGET(objects) {
  using namespace muster::kube;
  const auto pod = decode_pod(input);
  if (pod) {
    EXPECT_THAT(fingerprint_of(*pod) == fingerprint_of(*decode_pod(input)));
    for (const auto& [name, amount] : pod->requests.entries()) EXPECT_THAT(amount >= 0);
    Node node;
    node.name = pod->name;
    node.labels = {{"zone", "a"}};
    node.ready = true;
    if (const auto why = why_not(pod->node_set, node)) (void)describe(*why);
  }
  const auto node = decode_node(input);
  if (node) {
    EXPECT_THAT(fingerprint_of(*node) == fingerprint_of(*decode_node(input)));
    for (const auto& [name, amount] : node->allocatable.entries()) EXPECT_THAT(amount >= 0);
  }
}
