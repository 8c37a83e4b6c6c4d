package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

const (
	// After data so much silence means that the answer is complete.
	quiet = 200 * time.Millisecond
	// More of an answer is not read.
	longestAnswer = 65536
)

func resolve(host string, family string) (string, error) {
	if net.ParseIP(host) != nil {
		return host, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	network := map[string]string{"IPv4": "ip4", "IPv6": "ip6"}[family]
	if network == "" {
		network = "ip"
	}
	addresses, err := net.DefaultResolver.LookupIP(ctx, network, host)
	if err != nil {
		return "", err
	}
	return addresses[0].String(), nil
}

// Connects, sends, and reads until the server closes, or is silent after it has said something. A server that says nothing is told at
// half the time that no more will come.
func connection(attempt Attempt, result *Result) {
	timeout := time.Duration(attempt.TimeoutMs) * time.Millisecond
	started := time.Now()
	tcp, err := dial(attempt, result.Address)
	if err != nil {
		result.Error = name(err)
		return
	}
	// The port is free at once: no TIME_WAIT on this side.
	defer func() { _ = tcp.SetLinger(0); tcp.Close() }()
	result.Opened, result.ConnectMs = true, milliseconds(time.Since(started))
	local := tcp.LocalAddr().(*net.TCPAddr)
	result.LocalAddress, result.LocalPort = local.IP.String(), local.Port
	if attempt.Size > 0 {
		echo(tcp, attempt, timeout, result)
		return
	}
	if _, err := tcp.Write(attempt.Payload); err != nil {
		result.Error = name(err)
		return
	}
	half := time.AfterFunc(timeout/2, func() { _ = tcp.CloseWrite() })
	defer half.Stop()
	_ = tcp.SetReadDeadline(time.Now().Add(timeout))
	buffer := make([]byte, 4096)
	late := deadline{socket: tcp}
	for len(result.Received) < longestAnswer {
		count, err := tcp.Read(buffer)
		if late.extend(err) {
			continue
		}
		result.Received = append(result.Received, buffer[:count]...)
		if count > 0 {
			half.Stop()
			_ = tcp.SetReadDeadline(time.Now().Add(quiet))
		}
		if errors.Is(err, io.EOF) {
			result.Ended = true
			return
		}
		if err != nil {
			if len(result.Received) == 0 {
				result.Error = name(err)
			}
			return
		}
	}
}

func dial(attempt Attempt, address string) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: time.Duration(attempt.TimeoutMs) * time.Millisecond, KeepAlive: -1, Control: reuse}
	if attempt.SourcePort != 0 {
		dialer.LocalAddr = &net.TCPAddr{Port: attempt.SourcePort}
	}
	opened, err := dialer.Dial("tcp", net.JoinHostPort(address, strconv.Itoa(attempt.Port)))
	if err != nil {
		return nil, err
	}
	return opened.(*net.TCPConn), nil
}

// Sends one datagram from a connected socket, so that the kernel hands over what ICMP says (udp(7)), and waits for one.
func datagram(attempt Attempt, result *Result) {
	var local *net.UDPAddr
	if attempt.SourcePort != 0 {
		local = &net.UDPAddr{Port: attempt.SourcePort}
	}
	socket, err := net.DialUDP("udp", local, &net.UDPAddr{IP: net.ParseIP(result.Address), Port: attempt.Port})
	if err != nil {
		result.Error = name(err)
		return
	}
	defer socket.Close()
	own := socket.LocalAddr().(*net.UDPAddr)
	result.Opened, result.LocalAddress, result.LocalPort = true, own.IP.String(), own.Port
	started := time.Now()
	_ = socket.SetDeadline(started.Add(time.Duration(attempt.TimeoutMs) * time.Millisecond))
	buffer := make([]byte, longestAnswer)
	count := 0
	payload := attempt.Payload
	if attempt.Size > 0 {
		payload = bytesAt(attempt.Seed, 0, attempt.Size)
	}
	if _, err = socket.Write(payload); err == nil {
		count, err = socket.Read(buffer)
	}
	if late := (deadline{socket: socket}); late.extend(err) {
		count, err = socket.Read(buffer)
	}
	if err != nil {
		result.Error = name(err)
		return
	}
	result.ConnectMs, result.Ended = milliseconds(time.Since(started)), true
	if attempt.Size > 0 {
		compared := comparison{attempt: attempt}
		compared.add(buffer[:count])
		compared.tell(result)
		return
	}
	result.Received = buffer[:count]
}

// A local port of a connection that is closing may be bound again.
func reuse(_, _ string, socket syscall.RawConn) error {
	return socket.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	})
}

func milliseconds(duration time.Duration) float64 {
	return float64(duration.Microseconds()) / 1000
}

var names = map[syscall.Errno]string{
	syscall.EACCES:        "EACCES",
	syscall.EADDRINUSE:    "EADDRINUSE",
	syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL",
	syscall.ECONNABORTED:  "ECONNABORTED",
	syscall.ECONNREFUSED:  "ECONNREFUSED",
	syscall.ECONNRESET:    "ECONNRESET",
	syscall.EHOSTDOWN:     "EHOSTDOWN",
	syscall.EHOSTUNREACH:  "EHOSTUNREACH",
	syscall.ENETUNREACH:   "ENETUNREACH",
	syscall.ENONET:        "ENONET",
	syscall.ENOPROTOOPT:   "ENOPROTOOPT",
	syscall.EPERM:         "EPERM",
	syscall.EPIPE:         "EPIPE",
	syscall.ETIMEDOUT:     "ETIMEDOUT",
}

func name(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "TIMEOUT"
	}
	var timed net.Error
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if known, ok := names[errno]; ok {
			return known
		}
	}
	if errors.As(err, &timed) && timed.Timeout() {
		return "TIMEOUT"
	}
	return err.Error()
}
