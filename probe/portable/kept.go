package main

import (
	"net"
	"sync"
)

// Keep asks for a socket that stays open from one batch to the next.
type Keep struct {
	// Names the connection. Datagrams of one port share a socket.
	Socket string `json:"socket"`
	// Counts the steps of a check: a connection whose end was told in one is replaced in the next.
	Step int `json:"step"`
}

// The sockets of a session.
type keeper struct {
	guard       sync.Mutex
	connections map[string]*keptConnection
	sockets     map[string]*net.UDPConn
}

func newKeeper() *keeper {
	return &keeper{connections: map[string]*keptConnection{}, sockets: map[string]*net.UDPConn{}}
}

// The connection that an attempt continues; none if there is none yet, or if its end was told in an earlier step.
func (keeper *keeper) connection(keep Keep) *keptConnection {
	keeper.guard.Lock()
	defer keeper.guard.Unlock()
	kept := keeper.connections[keep.Socket]
	if kept != nil && kept.toldIn != 0 && kept.toldIn < keep.Step {
		kept.tcp.Close()
		delete(keeper.connections, keep.Socket)
		return nil
	}
	return kept
}

func (keeper *keeper) remember(keep Keep, kept *keptConnection) {
	keeper.guard.Lock()
	defer keeper.guard.Unlock()
	keeper.connections[keep.Socket] = kept
}

// The socket of a port, opened where there is none yet.
func (keeper *keeper) socket(network string, port int) (*net.UDPConn, error) {
	keeper.guard.Lock()
	defer keeper.guard.Unlock()
	key := network + " " + decimal(port)
	if socket := keeper.sockets[key]; socket != nil {
		return socket, nil
	}
	socket, err := openUnconnected(network, port)
	if err == nil {
		keeper.sockets[key] = socket
	}
	return socket, err
}
