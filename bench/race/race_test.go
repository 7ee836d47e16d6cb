package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, not %v", what, got, want)
	}
}

func TestTheMedianOfAnEvenNumberIsTheMeanOfTheTwoInTheMiddle(t *testing.T) {
	expect(t, "of 4", median([]float64{9, 1, 2, 4}), 3)
	expect(t, "of 3", median([]float64{9, 1, 2}), 2)
	expect(t, "of none", median(nil), 0)
}

func TestAQuantileIsAValueThatWasMeasured(t *testing.T) {
	values := []float64{5, 3, 1, 2, 4}
	expect(t, "p99 of 5", quantile(values, 0.99), 5)
	expect(t, "p0", quantile(values, 0), 1)
	expect(t, "the first of them, which stay in their order,", values[0], 5)
}

func TestAnArmIsComparedWithMustersRoundNextToIt(t *testing.T) {
	w := Work{Nodes: 1000, Members: 8, Gangs: 1}
	var r Report
	for round, ms := range [][2]float64{{100, 300}, {1000, 1000}, {10, 50}} {
		r.Runs = append(r.Runs, Result{Arm: "muster", Round: round + 1, Work: w, Created: []float64{ms[0]}},
			Result{Arm: "native", Round: round + 1, Work: w, Created: []float64{ms[1]}})
	}
	r.summarize()
	expect(t, "the number of summaries", len(r.Summary), 2)
	expect(t, "Muster by itself", r.Summary[0].Ratio, 1)
	expect(t, "the median of 3, 1 and 5", r.Summary[1].Ratio, 3)
	expect(t, "native by itself", r.Summary[1].ToNative, 1)
	expect(t, "the median of 1/3, 1 and 1/5", r.Summary[0].ToNative, 1.0/3)
}

func TestRoundsArePairedByTheirNumberInWhateverOrderTheyAreKept(t *testing.T) {
	rounds := func(ms ...float64) (out []Result) {
		for i, value := range ms {
			out = append(out, Result{Round: i + 1, Created: []float64{value}})
		}
		return out
	}
	muster, native := rounds(100, 1000, 10), rounds(300, 1000, 50)
	slices.Reverse(native)
	expect(t, "the median of 3, 1 and 5", ratio(native, muster), 3)
	expect(t, "without a first round of Muster, of 1 and 5", ratio(native, muster[1:]), 3)
	expect(t, "without a first round of the other, of 1 and 5", ratio(native[:2], muster), 3)
	expect(t, "with one in common", ratio(native[:1], muster), 5)
	expect(t, "with none in common", ratio(native[:1], muster[:2]), 0)
}

func TestARoundInWhichNothingWasBoundIsNotCompared(t *testing.T) {
	muster := []Result{{Round: 1, Created: []float64{10}}, {Round: 2}}
	native := []Result{{Round: 1, Created: []float64{20}}, {Round: 2, Created: []float64{900}}}
	expect(t, "the only ratio", ratio(native, muster), 2)
	expect(t, "the other way", ratio(muster, native), 0.5)
}

func TestJobsAreJudgedFromTheirSubmission(t *testing.T) {
	r := Result{Work: Work{Jobs: true}, Created: []float64{1}, Submitted: []float64{2}}
	expect(t, "a Job's time", r.times()[0], 2)
	r.Jobs = false
	expect(t, "a pod's time", r.times()[0], 1)
}

func TestAGangIsInOneDomainWhenAllItsNodesAre(t *testing.T) {
	same := []string{"b1-r2-h01", "b1-r2-h02"}
	racks := []string{"b1-r2-h01", "b1-r1-h01"}
	expect(t, "one rack", oneDomain("rack", same), true)
	expect(t, "two racks of a block", oneDomain("rack", racks), false)
	expect(t, "their block", oneDomain("block", racks), true)
	expect(t, "two blocks", oneDomain("block", []string{"b1-r1-h01", "b10-r1-h01"}), false)
}

func TestTheWatchCountsAMemberOnceHoweverOftenItChanges(t *testing.T) {
	w := &Watch{changed: make(chan struct{}), gangs: map[string]*Progress{}, bound: map[string]bool{}}
	begin := time.Now()
	see := func(kind watch.EventType, member int, node string, at int) {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", UID: types.UID(fmt.Sprint(member)),
			Labels: map[string]string{gangLabel: "g"}}, Spec: corev1.PodSpec{NodeName: node}}
		w.see(kind, pod, begin.Add(time.Duration(at)*time.Second))
	}
	see(watch.Added, 1, "", 0)
	see(watch.Added, 2, "", 1)
	see(watch.Modified, 1, "", 2)
	see(watch.Modified, 1, "x", 3)
	see(watch.Modified, 1, "x", 4)
	see(watch.Modified, 2, "y", 5)
	p := w.Gang(Gang{Namespace: "n", Name: "g"})
	expect(t, "the gang", p.short(), "2 pods, 2 bound")
	expect(t, "the last creation", p.LastCreated, begin.Add(time.Second))
	expect(t, "the first binding", p.FirstBound, begin.Add(3*time.Second))
	expect(t, "the last binding", p.LastBound, begin.Add(5*time.Second))
	see(watch.Deleted, 1, "x", 6)
	expect(t, "what is left", w.Gang(Gang{Namespace: "n", Name: "g"}).short(), "1 pods, 1 bound")
}

func TestEveryWorkFitsIntoItsClusterUnlessRoomIsScarce(t *testing.T) {
	for _, w := range append(short(), full()...) {
		fits := w.Gangs*w.Members*w.gpus() <= w.Nodes*nodeGPUs
		expect(t, w.String()+" fits", fits, !w.Scarce)
		if w.Level == "rack" {
			expect(t, w.String()+" fits into a rack", w.Members <= hosts*nodeGPUs, true)
		}
	}
}

// The page of the benchmarks is tested with this file.
func TestTheReportHasTheKeysThatThePageReads(t *testing.T) {
	text, err := os.ReadFile("../../tests/bench/race.json")
	if err != nil {
		t.Fatal(err)
	}
	read := json.NewDecoder(bytes.NewReader(text))
	read.DisallowUnknownFields()
	if err := read.Decode(&Report{}); err != nil {
		t.Error(err)
	}
}
