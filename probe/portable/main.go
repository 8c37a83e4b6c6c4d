// Makes the attempts of a batch on a machine that has no more than a shell, and tells what happened, raw: what it means is said
// where the batch came from (probe/portable.ts), by the same code that judges attempts made there.
//
// One JSON array of attempts on standard input, one JSON line per attempt on standard output. With an argument, --session: an array on each line,
// whose attempts may keep sockets open for the next one, until an empty line or the end of the input.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Attempt asks for one connection or one datagram.
type Attempt struct {
	ID         string `json:"id"`
	Attempt    int    `json:"attempt"`
	Host       string `json:"host"`
	Port       int    `json:"port"`
	Protocol   string `json:"protocol"`
	SourcePort int    `json:"sourcePort"`
	TimeoutMs  int    `json:"timeoutMs"`
	// IPv4 or IPv6: of the addresses that a name has, only one of this family.
	Family string `json:"family"`
	// What is sent.
	Payload []byte `json:"payload"`
	// Instead: so many bytes, which are expected back.
	Size int    `json:"size"`
	Seed uint32 `json:"seed"`
	// Of protocol icmp.
	ICMP *ICMP `json:"icmp"`
	// The socket is kept for the next batch. Needs a session.
	Keep *Keep `json:"keep"`
}

// Result is what happened.
type Result struct {
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	Address string `json:"address,omitempty"`
	// The connection was established, or the socket was connected.
	Opened    bool    `json:"opened"`
	ConnectMs float64 `json:"connectMs,omitempty"`
	// The server closed.
	Ended        bool   `json:"ended,omitempty"`
	Received     []byte `json:"received,omitempty"`
	LocalAddress string `json:"localAddress,omitempty"`
	LocalPort    int    `json:"localPort,omitempty"`
	// With a size: bytes that came back as they were sent, and where the first one is another.
	Echoed    *int `json:"echoed,omitempty"`
	DiffersAt *int `json:"differsAt,omitempty"`
	// A name of errno(3), "TIMEOUT", or words.
	Error string `json:"error,omitempty"`
	// An ICMP error is the answer; Error names it.
	Refused bool `json:"refused,omitempty"`
	// The other kernel has acknowledged the request that has no answer.
	Acknowledged *bool `json:"acknowledged,omitempty"`
	// Why the silence says nothing: this process had no processor.
	Starved string `json:"starved,omitempty"`
	// Beside a TIMEOUT: what came instead of an answer.
	Note string `json:"note,omitempty"`
	// What this computer lacks for the protocol.
	Unsupported string `json:"unsupported,omitempty"`
	// The name did not resolve.
	Unresolved bool `json:"unresolved,omitempty"`
	// The kernel's tables (proc_net(5)) after silence.
	Routes     string `json:"routes,omitempty"`
	Neighbours string `json:"neighbours,omitempty"`
}

const (
	// Attempts under way at once: far under the usual limit of open files.
	mostAtOnce = 256
	// How long a fixed local port may stay busy with our own last connection.
	portPatience = 1500 * time.Millisecond
	portRetry    = 20 * time.Millisecond
)

func main() {
	output, kept := json.NewEncoder(os.Stdout), newKeeper()
	if len(os.Args) == 1 {
		carryOutAll(read(os.Stdin), kept, output)
		return
	}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil || len(line) == 1 {
			return
		}
		carryOutAll(read(bytes.NewReader(line)), kept, output)
	}
}

func read(input io.Reader) (attempts []Attempt) {
	if err := json.NewDecoder(input).Decode(&attempts); err != nil {
		fmt.Fprintf(os.Stderr, "probe: the batch is not valid JSON: %v\n", err)
		os.Exit(2)
	}
	return attempts
}

func carryOutAll(attempts []Attempt, kept *keeper, output *json.Encoder) {
	var writing sync.Mutex
	var running sync.WaitGroup
	slots := make(chan struct{}, mostAtOnce)
	for _, lane := range lanes(attempts) {
		running.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; running.Done() }()
			for _, attempt := range lane {
				result := carryOut(attempt, kept)
				writing.Lock()
				_ = output.Encode(result) // fails only if the reader is gone
				writing.Unlock()
			}
		}()
	}
	running.Wait()
}

// Attempts that bind the same local port run one after the other; every other one is alone.
func lanes(attempts []Attempt) [][]Attempt {
	var all [][]Attempt
	byPort := map[string]int{}
	for _, attempt := range attempts {
		key := fmt.Sprintf("%s:%d", attempt.Protocol, attempt.SourcePort)
		lane, known := byPort[key]
		if attempt.SourcePort != 0 && known {
			all[lane] = append(all[lane], attempt)
			continue
		}
		byPort[key] = len(all)
		all = append(all, []Attempt{attempt})
	}
	return all
}

func carryOut(attempt Attempt, kept *keeper) Result {
	result := Result{ID: attempt.ID, Attempt: attempt.Attempt}
	address, err := resolve(attempt.Host, attempt.Family)
	if err != nil {
		result.Unresolved, result.Error = true, err.Error()
		return result
	}
	result.Address = address
	// Nothing was sent while the port was busy, so trying again is still the same attempt.
	for giveUp := time.Now().Add(portPatience); ; time.Sleep(portRetry) {
		once := result
		send(attempt, kept, &once)
		busy := once.Error == "EADDRINUSE" || once.Error == "EADDRNOTAVAIL"
		if busy && !once.Opened && time.Now().Before(giveUp) {
			continue
		}
		if len(once.Received) == 0 && once.Error != "" {
			once.Routes, once.Neighbours = text("/proc/net/route"), text("/proc/net/arp")
		}
		return once
	}
}

func send(attempt Attempt, kept *keeper, result *Result) {
	switch {
	case attempt.Keep != nil && attempt.Protocol == "udp":
		kept.datagram(attempt, result)
	case attempt.Keep != nil:
		kept.request(attempt, result)
	case attempt.Protocol == "udp":
		datagram(attempt, result)
	case attempt.Protocol == "icmp":
		ping(attempt, result)
	case attempt.Protocol == "sctp":
		association(attempt, result)
	default:
		connection(attempt, result)
	}
}

func text(path string) string {
	content, _ := os.ReadFile(path) // absent: then nothing is known
	return string(content)
}
