package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Versions of what races.
type Versions struct {
	Muster     string `json:"muster"`
	Kubernetes string `json:"kubernetes"`
	Kueue      string `json:"kueue"`
}

// versionsOf asks Muster; the others are fixed by the modules that they are built from.
func versionsOf(muster string) Versions {
	text, err := exec.Command(muster, "--version").Output()
	if err != nil {
		text = []byte(err.Error())
	}
	return Versions{Muster: strings.TrimSpace(string(text)), Kubernetes: "1.37.2", Kueue: "0.17.0"}
}

// machine names the processors.
func machine() string {
	model := runtime.GOARCH
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%d × %s", runtime.NumCPU(), model)
}

// load is how many threads wanted to run in the last minute, on average: the race's own and all others.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(text), " ")
	return one
}
