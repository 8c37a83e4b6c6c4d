package main

import (
	"bytes"
	"encoding/binary"
)

func (asked *query) isAnswer(packet []byte) bool {
	reply := asked.kind + 1 // of 13 and 128
	if asked.kind == echoRequest {
		reply = 0
	}
	return len(packet) >= queryHeader && packet[0] == reply && asked.isNamedIn(packet)
}

func (asked *query) isNamedIn(packet []byte) bool {
	return binary.BigEndian.Uint16(packet[4:]) == asked.id && binary.BigEndian.Uint16(packet[6:]) == asked.number
}

// An ICMP error quotes the packet that it is about, from its IP header on.
func (asked *query) isQuotedBy(packet []byte) bool {
	isError := packet[0] == 3 || packet[0] == 11 || packet[0] == 12
	header := 40
	if asked.v6 {
		isError = packet[0] >= 1 && packet[0] <= 4
	} else if len(packet) > queryHeader {
		header = int(packet[queryHeader]&0x0f) * 4
	}
	start := queryHeader + header
	if !isError || len(packet) < start+queryHeader {
		return false
	}
	quoted := packet[queryHeader:]
	destination := quoted[16:20]
	if asked.v6 {
		destination = quoted[24:40]
	}
	own := asked.to.To16()
	if !asked.v6 {
		own = asked.to.To4()
	}
	return packet[start] == asked.kind && bytes.Equal(destination, own) && asked.isNamedIn(packet[start:])
}

// Names of the registry "ICMP Type Numbers" (IANA) for what firewalls and routers say.
func meaning(v6 bool, kind, code byte) string {
	v4Names := map[[2]byte]string{
		{3, 0}: "network unreachable", {3, 1}: "host unreachable", {3, 2}: "protocol unreachable", {3, 3}: "port unreachable",
		{3, 4}: "fragmentation needed", {3, 9}: "network prohibited", {3, 10}: "host prohibited", {3, 13}: "administratively prohibited",
		{11, 0}: "time to live exceeded",
	}
	v6Names := map[[2]byte]string{
		{1, 0}: "no route", {1, 1}: "administratively prohibited", {1, 3}: "address unreachable", {1, 4}: "port unreachable",
		{1, 5}: "policy", {1, 6}: "reject route", {2, 0}: "packet too big", {3, 0}: "hop limit exceeded",
	}
	names := v4Names
	if v6 {
		names = v6Names
	}
	if words, known := names[[2]byte{kind, code}]; known {
		return ", " + words + ","
	}
	return ""
}

// RFC 1071.
func checksum(packet []byte) uint16 {
	var sum uint32
	for at := 0; at < len(packet); at += 2 {
		word := uint32(packet[at]) << 8
		if at+1 < len(packet) {
			word |= uint32(packet[at+1])
		}
		sum += word
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
