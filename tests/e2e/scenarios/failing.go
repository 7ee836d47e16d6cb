package scenarios

// Failing are the scenarios in which machines, pods, processes and connections fail, in the order in which they run.
var Failing = []Scenario{
	{"kar53", "KAR-0053: all members run and the workload completes, or none runs; nothing is left", gangConformance},
	{"u15", "a replacement stays in the domain of the others, or waits", replacementStays},
	{"u16", "one of an indexed Job has completed, one is lost: the replacement is placed", completedCount},
	{"u18", "two of 500 nodes go away together: two members replaced in the domain, 498 untouched", twoOfFiveHundred},
	{"ready", "readiness as one: a member becomes unready, and all do within a second", readyAsOne},
	{"matrix", "something dies at each transition of a group's life: whole or nothing within 30 s", crashMatrix},
	{"soak", "groups of 2 to 64 come and go on 200 nodes with random faults", soakWithFaults},
}
