package main

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// IANA protocol number.
const sctpProtocol = 132

// One association of the one-to-one style (RFC 6458 section 4): connects, sends, and reads an answer. Go has no SCTP, so the socket is
// the kernel's own, with the kernel's time limits.
func association(attempt Attempt, result *Result) {
	to := net.ParseIP(result.Address)
	family := syscall.AF_INET
	if to.To4() == nil {
		family = syscall.AF_INET6
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, sctpProtocol)
	if errors.Is(err, syscall.EPROTONOSUPPORT) || errors.Is(err, syscall.ESOCKTNOSUPPORT) {
		result.Unsupported = "its kernel has no SCTP"
		return
	}
	if err != nil {
		result.Error = name(err)
		return
	}
	defer syscall.Close(fd)
	timeout := syscall.NsecToTimeval((time.Duration(attempt.TimeoutMs) * time.Millisecond).Nanoseconds())
	for _, option := range []int{syscall.SO_SNDTIMEO, syscall.SO_RCVTIMEO} {
		_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, option, &timeout)
	}
	if attempt.SourcePort != 0 {
		any := net.IPv4zero
		if family == syscall.AF_INET6 {
			any = net.IPv6zero
		}
		if err := syscall.Bind(fd, socketAddress(any, attempt.SourcePort)); err != nil {
			result.Error = name(err)
			return
		}
	}
	started := time.Now()
	if err := syscall.Connect(fd, socketAddress(to, attempt.Port)); err != nil {
		result.Error = timedOut(err)
		return
	}
	result.Opened, result.ConnectMs = true, milliseconds(time.Since(started))
	result.LocalAddress, result.LocalPort = localOf(fd)
	if _, err := syscall.Write(fd, attempt.Payload); err != nil {
		result.Error = timedOut(err)
		return
	}
	buffer := make([]byte, 4096)
	count, err := syscall.Read(fd, buffer)
	if err != nil {
		result.Error = timedOut(err)
		return
	}
	result.Received, result.Ended = buffer[:count], true
}

// A blocking call whose time is up fails with EAGAIN or EINPROGRESS (socket(7)).
func timedOut(err error) string {
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINPROGRESS) {
		return "TIMEOUT"
	}
	return name(err)
}

func localOf(fd int) (string, int) {
	switch local, _ := syscall.Getsockname(fd); address := local.(type) {
	case *syscall.SockaddrInet4:
		return net.IP(address.Addr[:]).String(), address.Port
	case *syscall.SockaddrInet6:
		return net.IP(address.Addr[:]).String(), address.Port
	}
	return "", 0
}
