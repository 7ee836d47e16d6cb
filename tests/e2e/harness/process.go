// Package harness starts a Kubernetes control plane on loopback ports with kube-scheduler
// and muster-extender beside it, and gives scenarios the means to act on it and to watch
// what happens. It knows nothing about single scenarios.
package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a child with its output in a log file. It dies with this program.
type Process struct {
	Name string
	Log  string

	cmd    *exec.Cmd
	done   chan struct{}
	mu     sync.Mutex
	status string
	asked  bool // to end, while it ran; to be read when it has ended
}

// StartProcess runs argv; the output is appended to <dir>/<name>.log.
func StartProcess(dir, name string, argv ...string) (*Process, error) {
	path := filepath.Join(dir, name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	fmt.Fprintf(log, "--- %s: %s\n", time.Now().Format(time.TimeOnly), strings.Join(argv, " "))

	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	// Its own group, so that a Ctrl-C reaches this program alone, which then cleans up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := &Process{Name: name, Log: path, cmd: cmd, done: make(chan struct{})}
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.status = "status 0"
		if err != nil {
			p.status = err.Error()
		}
		p.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended tells whether the process is gone, and how it ended.
func (p *Process) Ended() (string, bool) {
	select {
	case <-p.done:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.status, true
	default:
		return "", false
	}
}

// Stop asks by SIGTERM, then insists. It returns how the process ended.
func (p *Process) Stop(grace time.Duration) string {
	if p == nil {
		return ""
	}
	if status, gone := p.Ended(); gone {
		return status
	}
	p.mu.Lock()
	p.asked = true
	p.mu.Unlock()
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
		p.Kill()
	}
	status, _ := p.Ended()
	return status
}

// Kill is kill -9, and waits until the process is gone.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Pause is SIGSTOP: the process keeps its connections and does nothing.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume is SIGCONT.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// Memory is what /proc says the process has resident now, and had at most.
func (p *Process) Memory() (now, peak MiB) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		return 0, 0
	}
	for _, line := range strings.Split(string(data), "\n") {
		field := strings.Fields(line)
		if len(field) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(field[1], 64)
		switch field[0] {
		case "VmRSS:":
			now = MiB(kib / 1024)
		case "VmHWM:":
			peak = MiB(kib / 1024)
		}
	}
	return now, peak
}

// CPU is the processor time that the process has used, in user space and in the kernel, to 10 ms; 0 when it is gone.
func (p *Process) CPU() time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
	if err != nil {
		return 0
	}
	// The second field is the program's name, which may contain anything; the others follow its bracket.
	_, rest, _ := strings.Cut(string(data), ") ")
	field := strings.Fields(rest)
	if len(field) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(field[11])
	system, _ := strconv.Atoi(field[12])
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on
	return time.Duration(user+system) * tick
}

type MiB float64

func (m MiB) String() string { return fmt.Sprintf("%.1f MiB", float64(m)) }
