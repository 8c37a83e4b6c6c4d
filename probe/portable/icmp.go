package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"time"
)

// ICMP asks for one query (RFC 792, RFC 4443). Without a type: an echo request.
type ICMP struct {
	Type *int `json:"type"`
	Code int  `json:"code"`
}

const (
	echoRequest   = 8
	echoRequestV6 = 128
	timestamp     = 13
	// Bytes of a query before its data.
	queryHeader = 8
	// As ping sends.
	usualData = 56
)

// A query that waits for its answer.
type query struct {
	v6         bool
	kind, code byte
	id, number uint16
	data       []byte
	to         net.IP
}

// Sends one query and waits for its answer, or for an ICMP error that quotes it. A raw socket where this process may have one; else the
// kernel's socket for echo requests, which needs no privilege (icmp(7), ping_group_range).
func ping(attempt Attempt, result *Result) {
	asked, err := newQuery(attempt, net.ParseIP(result.Address))
	if err != nil {
		result.Error = err.Error()
		return
	}
	socket, raw, err := icmpSocket(asked)
	if err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			result.Unsupported = "it may not send ICMP: CAP_NET_RAW, or a group within net.ipv4.ping_group_range, is missing"
			return
		}
		result.Error = name(err)
		return
	}
	defer socket.Close()
	result.Opened = true
	if local := sourceFor(asked.to); local != nil {
		result.LocalAddress = local.String()
	}
	started := time.Now()
	if err := asked.send(socket); err != nil {
		result.Error = name(err)
		return
	}
	_ = socket.SetReadDeadline(started.Add(time.Duration(attempt.TimeoutMs) * time.Millisecond))
	asked.await(socket, raw, attempt, result)
	result.ConnectMs = milliseconds(time.Since(started))
}

func newQuery(attempt Attempt, to net.IP) (*query, error) {
	asked := &query{v6: to.To4() == nil, to: to, id: uint16(rand.N(1 << 16)), number: uint16(attempt.Attempt)}
	asked.kind = echoRequest
	if asked.v6 {
		asked.kind = echoRequestV6
	}
	if attempt.ICMP != nil {
		asked.code = byte(attempt.ICMP.Code)
		if attempt.ICMP.Type != nil {
			asked.kind = byte(*attempt.ICMP.Type)
		}
	}
	if asked.v6 != (asked.kind == echoRequestV6) {
		return nil, fmt.Errorf("ICMP type %d is not a query of this address family (an echo request is type 8 over IPv4, 128 over IPv6)", asked.kind)
	}
	switch {
	case attempt.Size > 0:
		asked.data = bytesAt(attempt.Seed, 0, attempt.Size)
	case asked.kind == timestamp:
		asked.data = make([]byte, 12)
	default:
		asked.data = bytesAt(attempt.Seed, 0, usualData)
	}
	return asked, nil
}

// Every raw socket gets every ICMP packet of its network namespace; the other kind only what is its own.
func icmpSocket(asked *query) (socket net.PacketConn, raw bool, err error) {
	network, any, protocol, family := "ip4:icmp", "0.0.0.0", syscall.IPPROTO_ICMP, syscall.AF_INET
	if asked.v6 {
		network, any, protocol, family = "ip6:ipv6-icmp", "::", syscall.IPPROTO_ICMPV6, syscall.AF_INET6
	}
	if socket, err = net.ListenPacket(network, any); err == nil {
		return socket, true, nil
	}
	if asked.kind != echoRequest && asked.kind != echoRequestV6 {
		return nil, false, err
	}
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, false, err
	}
	// Connected, so that it is told of ICMP errors.
	if err := syscall.Connect(fd, socketAddress(asked.to, 0)); err != nil {
		syscall.Close(fd)
		return nil, false, err
	}
	file := os.NewFile(uintptr(fd), "icmp")
	defer file.Close()
	socket, err = net.FilePacketConn(file)
	return socket, false, err
}

func socketAddress(ip net.IP, port int) syscall.Sockaddr {
	if v4 := ip.To4(); v4 != nil {
		return &syscall.SockaddrInet4{Port: port, Addr: [4]byte(v4)}
	}
	return &syscall.SockaddrInet6{Port: port, Addr: [16]byte(ip.To16())}
}

// The address that the kernel sends from; nothing is sent.
func sourceFor(to net.IP) net.IP {
	socket, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: to, Port: 9})
	if err != nil {
		return nil
	}
	defer socket.Close()
	return socket.LocalAddr().(*net.UDPAddr).IP
}

func (asked *query) send(socket net.PacketConn) error {
	packet := make([]byte, queryHeader, queryHeader+len(asked.data))
	packet[0], packet[1] = asked.kind, asked.code
	binary.BigEndian.PutUint16(packet[4:], asked.id)
	binary.BigEndian.PutUint16(packet[6:], asked.number)
	packet = append(packet, asked.data...)
	// The kernel makes the checksum of ICMPv6, and of its own kind of socket, in any case.
	binary.BigEndian.PutUint16(packet[2:], checksum(packet))
	var to net.Addr = &net.IPAddr{IP: asked.to}
	if connected, ok := socket.(*net.UDPConn); ok {
		if local, known := connected.LocalAddr().(*net.UDPAddr); known {
			asked.id = uint16(local.Port) // the kernel chooses it
		}
		_, err := connected.Write(packet)
		return err
	}
	_, err := socket.WriteTo(packet, to)
	return err
}

func (asked *query) await(socket net.PacketConn, raw bool, attempt Attempt, result *Result) {
	buffer := make([]byte, longestAnswer)
	other := ""
	late := deadline{socket: socket}
	for {
		count, from, err := socket.ReadFrom(buffer)
		if late.extend(err) {
			continue
		}
		if err != nil {
			result.Error = name(err)
			if other != "" && result.Error == "TIMEOUT" {
				result.Note = "an answer came from " + other + " instead"
			}
			return
		}
		packet := buffer[:count]
		if asked.isAnswer(packet) {
			if source := addressIn(from); raw && !source.Equal(asked.to) {
				other = source.String()
				continue
			}
			compared := comparison{attempt: attempt}
			compared.attempt.Size = len(asked.data)
			compared.add(packet[queryHeader:])
			if attempt.Size > 0 {
				compared.tell(result)
			}
			result.Received, result.Ended = nil, true
			return
		}
		if raw && asked.isQuotedBy(packet) {
			result.Error = fmt.Sprintf("ICMP type %d code %d%s from %s", packet[0], packet[1], meaning(asked.v6, packet[0], packet[1]), addressIn(from))
			result.Refused = true
			return
		}
	}
}

func addressIn(from net.Addr) net.IP {
	switch address := from.(type) {
	case *net.IPAddr:
		return address.IP
	case *net.UDPAddr:
		return address.IP
	}
	return nil
}
