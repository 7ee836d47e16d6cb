package main

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"muster.dev/e2e/harness"
)

// Work is one thing that every arm has to do.
type Work struct {
	Nodes   int    `json:"nodes"`
	Members int    `json:"members"` // of each gang
	Gangs   int    `json:"gangs"`   // submitted at once
	Level   string `json:"level"`   // each gang in one domain of it; empty: anywhere
	Jobs    bool   `json:"jobs"`    // pods are made by the job controller
	Scarce  bool   `json:"scarce"`  // members ask for whole nodes, and there are too few for all gangs
}

func (w Work) String() string {
	text := fmt.Sprintf("%d nodes, %d × %d", w.Nodes, w.Gangs, w.Members)
	if w.Level != "" {
		text += ", one " + w.Level
	}
	if w.Jobs {
		text += ", as Jobs"
	}
	if w.Scarce {
		text += ", too few nodes"
	}
	return text
}

// gpus is what a member asks for.
func (w Work) gpus() int {
	if w.Scarce {
		return nodeGPUs
	}
	return 1
}

// Every block has 10 racks of 20 nodes of 8 GPUs: 160 members fit into a rack, 1,600 into a block.
const (
	racks, hosts, nodeGPUs = 10, 20, 8
	nodesPerBlock          = racks * hosts
)

// nodesOf builds n nodes. A rack's label is unique in the cluster, since not every arm can tell racks of two blocks
// with one label from each other.
func nodesOf(n int) []*corev1.Node {
	out := harness.Shape{Blocks: n / nodesPerBlock, Racks: racks, Hosts: hosts}.Nodes()
	for _, node := range out {
		node.Labels["race.muster.dev/node"] = "true" // what Kueue's flavor selects
		node.Labels[harness.RackLabel] = node.Labels[harness.BlockLabel] + "-" + node.Labels[harness.RackLabel]
	}
	return out
}

// labelOf is the node label of a level.
func labelOf(level string) string {
	return map[string]string{"rack": harness.RackLabel, "block": harness.BlockLabel}[level]
}

// oneDomain tells whether the nodes, named <block>-<rack>-<host>, are all in one domain of the level.
func oneDomain(level string, nodes []string) bool {
	parts := map[string]int{"block": 1, "rack": 2}[level]
	domain := func(node string) string { return strings.Join(strings.Split(node, "-")[:parts], "-") }
	for _, node := range nodes {
		if domain(node) != domain(nodes[0]) {
			return false
		}
	}
	return true
}

// short is for a few minutes: one size of cluster, each size of gang, with its level and without.
func short() []Work {
	return []Work{
		{Nodes: 1000, Members: 8, Gangs: 1, Level: "rack"},
		{Nodes: 1000, Members: 64, Gangs: 1, Level: "rack"},
		{Nodes: 1000, Members: 64, Gangs: 1},
		{Nodes: 1000, Members: 256, Gangs: 1, Level: "block"},
		{Nodes: 1000, Members: 512, Gangs: 1, Level: "block"},
		{Nodes: 1000, Members: 8, Gangs: 20, Level: "rack"},
		{Nodes: 1000, Members: 64, Gangs: 20, Level: "block", Scarce: true},
		{Nodes: 1000, Members: 64, Gangs: 1, Level: "rack", Jobs: true},
		{Nodes: 1000, Members: 256, Gangs: 1, Level: "block", Jobs: true},
	}
}

// full is everything that fits, and of Jobs what asks for a level.
func full() []Work {
	out := []Work{{Nodes: 1000, Members: 64, Gangs: 20, Level: "block", Scarce: true}}
	for _, n := range []int{1000, 5000} {
		for _, gangs := range []int{1, 20} {
			for _, members := range []int{8, 64, 256, 512} {
				if gangs*members > n*nodeGPUs {
					continue
				}
				anywhere := Work{Nodes: n, Members: members, Gangs: gangs}
				near := anywhere
				near.Level = "rack"
				if members > hosts*nodeGPUs {
					near.Level = "block"
				}
				jobs := near
				jobs.Jobs = true
				out = append(out, near, anywhere, jobs)
			}
		}
	}
	return out
}
