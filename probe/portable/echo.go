package main

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
)

// First byte of a request that a probe server sends back whole (probe/echo.ts).
const enquiry = 0x05

// More of what follows an echo is not kept.
const longestRest = 4096

// The bytes of a request from an offset on; the same as in probe/echo.ts.
func bytesAt(seed uint32, offset int, length int) []byte {
	first := offset / 4
	count := (offset+length+3)/4 - first
	words := make([]byte, 4*count)
	for word := range count {
		binary.BigEndian.PutUint32(words[4*word:], uint32(first+word+1)*0x9e3779b1^seed)
	}
	if first == 0 && count > 0 {
		words[0] = enquiry
	}
	return words[offset-4*first : offset-4*first+length]
}

// What came back, compared piece by piece.
type comparison struct {
	attempt   Attempt
	echoed    int
	differsAt *int
	rest      []byte
}

func (compared *comparison) add(chunk []byte) {
	due := 0
	if compared.differsAt == nil {
		due = min(len(chunk), compared.attempt.Size-compared.echoed)
	}
	equal := 0
	for expected := bytesAt(compared.attempt.Seed, compared.echoed, due); equal < due && chunk[equal] == expected[equal]; {
		equal++
	}
	compared.echoed += equal
	if equal < due {
		at := compared.echoed
		compared.differsAt = &at
	}
	if len(compared.rest) < longestRest {
		compared.rest = append(compared.rest, chunk[equal:]...)
	}
}

func (compared *comparison) tell(result *Result) {
	result.Echoed, result.DiffersAt, result.Received = &compared.echoed, compared.differsAt, compared.rest
}

// Sends all bytes, closes this side, and compares what comes back. Silence counts from the last byte that came.
func echo(tcp *net.TCPConn, attempt Attempt, timeout time.Duration, result *Result) {
	go func() {
		const piece = 65536
		for at := 0; at < attempt.Size; at += piece {
			if _, err := tcp.Write(bytesAt(attempt.Seed, at, min(piece, attempt.Size-at))); err != nil {
				return // reading says why
			}
		}
		_ = tcp.CloseWrite()
	}()
	compared := comparison{attempt: attempt}
	buffer := make([]byte, 65536)
	for {
		_ = tcp.SetReadDeadline(time.Now().Add(timeout))
		count, err := tcp.Read(buffer)
		if late := (deadline{socket: tcp}); late.extend(err) {
			count, err = tcp.Read(buffer)
		}
		compared.add(buffer[:count])
		if err == nil {
			continue
		}
		compared.tell(result)
		if errors.Is(err, io.EOF) {
			result.Ended = true
		} else if compared.echoed < attempt.Size {
			result.Error = name(err)
		} else {
			result.Ended = true
		}
		return
	}
}
