package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"text/tabwriter"
)

// Report is everything that was measured, and what follows from it.
type Report struct {
	Benchmark  string     `json:"benchmark"`
	Machine    string     `json:"machine"`
	LoadBefore string     `json:"loadBefore"` // of the machine, without the race: whoever else worked on it
	Date       string     `json:"date"`
	Versions   Versions   `json:"versions"`
	Size       string     `json:"size"`
	Rounds     int        `json:"rounds"`
	Skipped    []string   `json:"skipped"`
	Summary    []Summary  `json:"summary"`
	Timelines  []Timeline `json:"timelines"`
	Runs       []Result   `json:"runs"`
}

func (r *Report) skip(arm string, why error) {
	text := fmt.Sprintf("%s is skipped: %v", arm, why)
	fmt.Println(" ", text)
	if !slices.Contains(r.Skipped, text) {
		r.Skipped = append(r.Skipped, text)
	}
}

// Summary is one arm's rounds of one Work together.
type Summary struct {
	Work
	Arm     string `json:"arm"`
	Samples int    `json:"samples"` // gangs that were bound
	// Milliseconds over these.
	CreatedP50   float64 `json:"createdToBoundP50Ms"`
	CreatedP99   float64 `json:"createdToBoundP99Ms"`
	SubmittedP50 float64 `json:"submittedToBoundP50Ms"`
	SubmittedP99 float64 `json:"submittedToBoundP99Ms"`
	// Median over the rounds of this arm's median by Muster's of the same round, which is near it in time; of Jobs
	// from the first thing submitted, since a peer may hold the whole Job back, else from the last member created.
	// 0 when the two have no round in common.
	Ratio         float64            `json:"ratioToMuster"`
	ToNative      float64            `json:"ratioToNative"` // likewise
	PodsPerSecond float64            `json:"podsPerSecond"` // median of rounds, as what follows
	WritesPerPod  float64            `json:"writesPerPod"`
	CPU           map[string]float64 `json:"cpuSeconds"`
	PartialMs     float64            `json:"partialMs"` // the worst of all rounds
	Partial       int                `json:"partialGangs"`
	Misplaced     int                `json:"misplacedGangs"`
	Whole         int                `json:"wholeGangs"` // the fewest of all rounds
}

// quantile of values, 0 ≤ q ≤ 1, by nearest rank; 0 when there are none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(int(math.Ceil(q*float64(len(sorted)))), 1)-1]
}

// median is the mean of the two in the middle where their number is even.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// times are what an arm is judged by in a Work.
func (r Result) times() []float64 {
	if r.Jobs {
		return r.Submitted
	}
	return r.Created
}

func (r *Report) summarize() {
	r.Summary = nil
	type key struct {
		Work
		arm string
	}
	var order []key
	runs := map[key][]Result{}
	for _, run := range r.Runs {
		k := key{run.Work, run.Arm}
		if runs[k] == nil {
			order = append(order, k)
		}
		runs[k] = append(runs[k], run)
	}
	slices.SortStableFunc(order, func(a, b key) int { return r.place(a.Work) - r.place(b.Work) })
	for _, k := range order {
		r.Summary = append(r.Summary, summarize(k.Work, k.arm, runs[k], runs[key{k.Work, "muster"}], runs[key{k.Work, "native"}]))
	}
}

// place is where a Work first appears.
func (r *Report) place(w Work) int {
	return slices.IndexFunc(r.Runs, func(run Result) bool { return run.Work == w })
}

// ratio is the median over the rounds that both arms had of one's median by the other's.
func ratio(runs, others []Result) float64 {
	byRound := map[int][]float64{}
	for _, other := range others {
		byRound[other.Round] = other.times()
	}
	var ratios []float64
	for _, run := range runs {
		if other := byRound[run.Round]; len(other) > 0 && len(run.times()) > 0 {
			ratios = append(ratios, median(run.times())/median(other))
		}
	}
	return median(ratios)
}

func summarize(w Work, arm string, runs, muster, native []Result) Summary {
	s := Summary{Work: w, Arm: arm, Ratio: ratio(runs, muster), ToNative: ratio(runs, native), CPU: map[string]float64{}}
	var created, submitted, rate, writes []float64
	cpu := map[string][]float64{}
	for i, run := range runs {
		created = append(created, run.Created...)
		submitted = append(submitted, run.Submitted...)
		rate = append(rate, run.PodsPerSecond)
		writes = append(writes, run.WritesPerPod)
		for name, seconds := range run.CPU {
			cpu[name] = append(cpu[name], seconds)
		}
		s.PartialMs = max(s.PartialMs, run.PartialMs)
		s.Partial += run.Partial
		s.Misplaced += run.Misplaced
		if i == 0 || run.Whole < s.Whole {
			s.Whole = run.Whole
		}
	}
	s.Samples = len(created)
	s.CreatedP50, s.CreatedP99 = median(created), quantile(created, 0.99)
	s.SubmittedP50, s.SubmittedP99 = median(submitted), quantile(submitted, 0.99)
	s.PodsPerSecond, s.WritesPerPod = median(rate), median(writes)
	for name, seconds := range cpu {
		s.CPU[name] = median(seconds)
	}
	return s
}

// Line is one result for people who watch the race.
func (r Result) Line() string {
	return fmt.Sprintf("%-14s %-40s created→bound %6.0f ms, submitted→bound %6.0f ms, %5.0f pods/s, %.2f writes/pod, cpu %s",
		r.Arm, r.Work, median(r.Created), median(r.Submitted), r.PodsPerSecond, r.WritesPerPod, cpuText(r.CPU))
}

func cpuText(cpu map[string]float64) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(cpu)) {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s %.2f", name, cpu[name])
	}
	return text
}

// Print writes the summary and the timelines as tables.
func (r *Report) Print(out io.Writer) {
	r.summarize()
	fmt.Fprintf(out, "\n%s, load before %s; %s, Kubernetes %s, Kueue %s\n", r.Machine, r.LoadBefore, r.Versions.Muster,
		r.Versions.Kubernetes, r.Versions.Kueue)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nwork\tarm\tcreated→bound p50 ms\tp99\tsubmitted→bound p50 ms\tp99\t÷ muster\t÷ native\tpods/s\twrites/pod\tCPU s\tpartial ms\twhole gangs\tpartial gangs\tmisplaced")
	last := Work{}
	for _, s := range r.Summary {
		name := ""
		if s.Work != last {
			name = s.Work.String()
		}
		last = s.Work
		fmt.Fprintf(table, "%s\t%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.2f\t%.2f\t%.0f\t%.2f\t%s\t%.0f\t%d of %d\t%d\t%d\n", name, s.Arm,
			s.CreatedP50, s.CreatedP99, s.SubmittedP50, s.SubmittedP99, s.Ratio, s.ToNative, s.PodsPerSecond, s.WritesPerPod,
			cpuText(s.CPU), s.PartialMs, s.Whole, s.Gangs, s.Partial, s.Misplaced)
	}
	table.Flush()
	for _, line := range r.Timelines {
		line.Print(out)
	}
}

// Write writes everything as JSON.
func (r *Report) Write(path string) error {
	r.summarize()
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
