package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// The multiple of the usual silence that a program may take if its kernel has acknowledged the request.
const morePatience = 5

// A connection over which several requests go, one answer each.
type keptConnection struct {
	tcp *net.TCPConn
	// Answers that have not come yet; those of earlier attempts come first.
	due int
	// What came and is no complete answer yet.
	unread []byte
	// Why it carries nothing any longer, and the step in which this was told first.
	ended  string
	toldIn int
}

// Sends one request over the kept connection, which is opened where there is none, and waits for its answer.
func (keeper *keeper) request(attempt Attempt, result *Result) {
	kept := keeper.connection(*attempt.Keep)
	if kept == nil {
		started := time.Now()
		tcp, err := dial(attempt, result.Address)
		if err != nil {
			result.Error = name(err)
			return
		}
		// The port is free at once when it is closed: no TIME_WAIT on this side.
		_ = tcp.SetLinger(0)
		kept = &keptConnection{tcp: tcp}
		keeper.remember(*attempt.Keep, kept)
		result.ConnectMs = milliseconds(time.Since(started))
	}
	local := kept.tcp.LocalAddr().(*net.TCPAddr)
	result.Opened, result.LocalAddress, result.LocalPort = true, local.IP.String(), local.Port
	if kept.ended == "" {
		kept.exchange(attempt, result)
	}
	if kept.ended != "" {
		result.Error = kept.ended
		if kept.toldIn == 0 {
			kept.toldIn = attempt.Keep.Step
		}
	}
}

func (kept *keptConnection) exchange(attempt Attempt, result *Result) {
	if _, err := kept.tcp.Write(attempt.Payload); err != nil {
		kept.ended = name(err)
		return
	}
	kept.due++
	buffer := make([]byte, 4096)
	silent, lastData := newSilence(attempt.TimeoutMs), time.Now()
	for {
		if answer := kept.answer(time.Since(lastData) >= quiet); answer != nil {
			result.Received = answer
			return
		}
		_ = kept.tcp.SetReadDeadline(time.Now().Add(tick))
		count, err := kept.tcp.Read(buffer)
		if count > 0 {
			kept.unread, lastData = append(kept.unread, buffer[:count]...), time.Now()
			silent = newSilence(attempt.TimeoutMs)
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			kept.endWith(err)
			return
		}
		if !silent.isOver() {
			continue
		}
		acknowledged := kept.isAcknowledged()
		if longer := time.Duration(attempt.TimeoutMs) * time.Millisecond * morePatience; acknowledged && silent.wanted < longer {
			silent.wanted = longer
			continue
		}
		result.Acknowledged = &acknowledged
		silent.tell(result)
		return
	}
}

func (kept *keptConnection) endWith(err error) {
	kept.ended = name(err)
	if errors.Is(err, io.EOF) {
		kept.ended = "CLOSED"
	}
}

// The answer of the last request, once it is complete. Answers of earlier ones are dropped.
func (kept *keptConnection) answer(isQuiet bool) []byte {
	for {
		length := answerLength(kept.unread)
		if length == 0 && isQuiet && len(kept.unread) > 0 {
			// Without an announced length: what came is everything that was due.
			answer := kept.unread
			kept.unread, kept.due = nil, 0
			return answer
		}
		if length == 0 || length > len(kept.unread) {
			return nil
		}
		answer := kept.unread[:length]
		kept.unread = kept.unread[length:]
		if kept.due--; kept.due <= 0 {
			kept.due = 0
			return answer
		}
	}
}

// Bytes of an HTTP response whose length is announced (RFC 9112 section 6.3); 0 for anything else.
func answerLength(received []byte) int {
	end := bytes.Index(received, []byte("\r\n\r\n"))
	if end < 0 || !bytes.HasPrefix(received, []byte("HTTP/")) {
		return 0
	}
	for _, line := range bytes.Split(received[:end], []byte("\r\n")) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(key, []byte("content-length")) {
			continue
		}
		if length, err := strconv.Atoi(string(bytes.TrimSpace(value))); err == nil && length >= 0 {
			return end + 4 + length
		}
	}
	return 0
}

// Whether the other kernel has acknowledged everything that was sent (tcp(7), SIOCOUTQ).
func (kept *keptConnection) isAcknowledged() bool {
	raw, err := kept.tcp.SyscallConn()
	if err != nil {
		return false
	}
	var unacknowledged int32
	var failed syscall.Errno
	_ = raw.Control(func(fd uintptr) {
		_, _, failed = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&unacknowledged)))
	})
	return failed == 0 && unacknowledged == 0
}
