package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

const (
	// Also errors of an unconnected socket are told (ip(7), ipv6(7)).
	ipRecvErr   = 11
	ipv6RecvErr = 25
	// More old datagrams than this do not wait in a socket of a check.
	mostWaiting = 10_000
)

func decimal(number int) string { return strconv.Itoa(number) }

func openUnconnected(network string, port int) (*net.UDPConn, error) {
	level, option := syscall.IPPROTO_IP, ipRecvErr
	if network == "udp6" {
		level, option = syscall.IPPROTO_IPV6, ipv6RecvErr
	}
	config := net.ListenConfig{Control: func(_, _ string, socket syscall.RawConn) error {
		return socket.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), level, option, 1) })
	}}
	opened, err := config.ListenPacket(context.Background(), network, ":"+decimal(port))
	if err != nil {
		return nil, err
	}
	return opened.(*net.UDPConn), nil
}

// Sends one datagram from the kept socket, which is not connected, and waits for an answer from the address that was asked.
func (keeper *keeper) datagram(attempt Attempt, result *Result) {
	to := &net.UDPAddr{IP: net.ParseIP(result.Address), Port: attempt.Port}
	network := "udp4"
	if to.IP.To4() == nil {
		network = "udp6"
	}
	socket, err := keeper.socket(network, attempt.SourcePort)
	if err != nil {
		result.Error = name(err)
		return
	}
	result.Opened, result.LocalPort = true, attempt.SourcePort
	if local := sourceFor(to.IP); local != nil {
		result.LocalAddress = local.String()
	}
	forgetOld(socket)
	started := time.Now()
	if _, err := socket.WriteToUDP(attempt.Payload, to); err != nil {
		result.Error = name(err)
		return
	}
	buffer := make([]byte, longestAnswer)
	for silent := newSilence(attempt.TimeoutMs); ; {
		_ = socket.SetReadDeadline(time.Now().Add(tick))
		count, from, err := socket.ReadFromUDP(buffer)
		if err == nil && from.IP.Equal(to.IP) && from.Port == to.Port {
			result.ConnectMs, result.Ended, result.Received = milliseconds(time.Since(started)), true, buffer[:count]
			return
		}
		if err == nil {
			result.Note = "an answer came from " + from.String() + " instead"
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			result.Error = name(err)
			return
		}
		if silent.isOver() {
			silent.tell(result)
			return
		}
	}
}

// Late answers and errors of earlier attempts are no answer to this one.
func forgetOld(socket *net.UDPConn) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, 1)
	_ = raw.Read(func(fd uintptr) bool {
		for _, flags := range []int{syscall.MSG_ERRQUEUE, 0} {
			for range mostWaiting {
				if _, _, err := syscall.Recvfrom(int(fd), buffer, flags|syscall.MSG_DONTWAIT); errors.Is(err, syscall.EAGAIN) {
					break
				}
			}
		}
		return true
	})
}
