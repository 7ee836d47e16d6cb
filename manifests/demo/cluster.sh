#!/bin/sh
# Prints cluster.yaml: 2 blocks × 4 racks × 16 hosts × 8 GPUs. The racks are drawn at the end, one digit a host:
# its free GPUs. What is not free is used by running pods of no group.
exec awk '
BEGIN { print "# Made by cluster.sh." }
{
  free_gpus = $3 $4 $5 $6
  for (h = 1; h <= length(free_gpus); h++) {
    free = substr(free_gpus, h, 1)
    host = sprintf("%s-%s-h%02d", $1, $2, h)
    printf "---\n{apiVersion: v1, kind: Node, metadata: {name: %s, labels: {topology.muster.dev/block: %s,\n" \
           " topology.muster.dev/rack: %s, kubernetes.io/hostname: %s}}, status: {allocatable: {cpu: \"96\",\n" \
           " memory: 1Ti, pods: \"110\", nvidia.com/gpu: \"8\"}, conditions: [{type: Ready, status: \"True\"}]}}\n",
           host, $1, $2, host
    if (free == 8) continue
    printf "---\n{apiVersion: v1, kind: Pod, metadata: {name: job-%s}, spec: {nodeName: %s,\n" \
           " containers: [{name: job, image: none, resources: {requests: {nvidia.com/gpu: \"%d\"}}}]},\n" \
           " status: {phase: Running}}\n", host, host, 8 - free
  }
}' <<'END'
b1 r1 0000 0000 4088 8880
b1 r2 0000 0000 0000 0880
b1 r3 0000 8888 8880 0000
b1 r4 0000 0000 0000 0400
b2 r1 0000 8880 0008 8800
b2 r2 8888 0000 0000 8880
b2 r3 0000 0440 0000 0888
b2 r4 0000 0000 0000 0000
END
