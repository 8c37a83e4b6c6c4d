package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// How often it is looked whether this process has a processor.
	tick = 50 * time.Millisecond
	// After this multiple of the requested silence the result is not known.
	patience = 8
)

// A silence in which this process could have received data: time in which it got no processor does not count (probe/silence.ts).
type silence struct {
	wanted        time.Duration
	started, last time.Time
	own           time.Duration
}

func newSilence(milliseconds int) *silence {
	now := time.Now()
	return &silence{wanted: time.Duration(milliseconds) * time.Millisecond, started: now, last: now}
}

// Called at every tick. Whether the silence is over.
func (silence *silence) isOver() bool {
	now := time.Now()
	silence.own += min(now.Sub(silence.last), 2*tick)
	silence.last = now
	return silence.own >= silence.wanted || now.Sub(silence.started) >= patience*silence.wanted
}

// A deadline that is over is extended once, by a tick: what came while this process had no processor is waiting, and is read.
type deadline struct {
	socket   interface{ SetReadDeadline(time.Time) error }
	extended bool
}

// Whether to read again after this error.
func (late *deadline) extend(err error) bool {
	if late.extended || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	late.extended = true
	return late.socket.SetReadDeadline(time.Now().Add(tick)) == nil
}

// Says in the result that the other side was silent, or that this process had too little of a processor to know.
func (silence *silence) tell(result *Result) {
	if silence.own >= silence.wanted {
		result.Error = "TIMEOUT"
		return
	}
	passed := silence.last.Sub(silence.started)
	result.Starved = fmt.Sprintf("the prober had a processor for %d of %d ms only", silence.own.Milliseconds(), passed.Milliseconds())
}
