package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const connecting = 5 * time.Second

var cutShort = errors.New("the answer was cut short: the agent has ended")

// Sends the call as one HTTP request. The packages net and net/http would take longer to start than all of this, for each pod.
func ask(socket string, call request) (answer []byte, ok bool, err error) {
	body, err := json.Marshal(call)
	if err != nil {
		return nil, false, err
	}
	connection, err := connect(socket)
	if err != nil {
		return nil, false, &os.PathError{Op: "connect", Path: socket, Err: err}
	}
	defer syscall.Close(connection)
	// Version 1.0 has neither chunks nor another request on the same connection.
	head := fmt.Sprintf("POST /cni HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	if err = write(connection, append([]byte(head), body...)); err != nil {
		return nil, false, &os.PathError{Op: "write", Path: socket, Err: err}
	}
	received, err := readAll(connection)
	if err != nil {
		return nil, false, &os.PathError{Op: "read", Path: socket, Err: err}
	}
	return parse(received)
}

func connect(socket string) (int, error) {
	connection, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	for option, limit := range map[int]time.Duration{syscall.SO_SNDTIMEO: connecting, syscall.SO_RCVTIMEO: patience} {
		timeout := syscall.NsecToTimeval(limit.Nanoseconds())
		if err = syscall.SetsockoptTimeval(connection, syscall.SOL_SOCKET, option, &timeout); err != nil {
			break
		}
	}
	if err == nil {
		err = again(func() error { return syscall.Connect(connection, &syscall.SockaddrUnix{Name: socket}) })
	}
	if err != nil {
		syscall.Close(connection)
		return -1, err
	}
	return connection, nil
}

func write(connection int, data []byte) error {
	for len(data) > 0 {
		count := 0
		// A peer that is gone is an error, not a signal that ends this process.
		err := again(func() (err error) {
			count, err = syscall.SendmsgN(connection, data, nil, nil, syscall.MSG_NOSIGNAL)
			return err
		})
		if err != nil {
			return err
		}
		data = data[count:]
	}
	return nil
}

func readAll(connection int) ([]byte, error) {
	var all bytes.Buffer
	part := make([]byte, 16*1024)
	for {
		count := 0
		err := again(func() (err error) {
			count, err = syscall.Read(connection, part)
			return err
		})
		if err != nil || count == 0 {
			return all.Bytes(), err
		}
		all.Write(part[:count])
	}
}

// The runtime's own signals interrupt system calls that have a time limit.
func again(work func() error) error {
	for {
		switch err := work(); err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return os.ErrDeadlineExceeded
		default:
			return err
		}
	}
}

// The body, whole, and whether the status is 200.
func parse(received []byte) ([]byte, bool, error) {
	head, body, found := bytes.Cut(received, []byte("\r\n\r\n"))
	if !found {
		return nil, false, cutShort
	}
	lines := strings.Split(string(head), "\r\n")
	length := -1
	for _, line := range lines[1:] {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	if length != len(body) {
		return nil, false, cutShort
	}
	status := strings.Fields(lines[0])
	return body, len(status) > 1 && status[1] == "200", nil
}
