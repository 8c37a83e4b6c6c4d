// The CNI plugin that the container runtime starts: passes its call to the node agent over a Unix socket and prints the
// answer. It contains no network code, so it does not have to be replaced together with the agent.
// Protocol: https://www.cni.dev/docs/spec/, section 2. The agent's side: agent/cni/server.ts.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const defaultSocket = "/run/ebpf-dataplane/agent.sock"

// A runtime waits for a plugin about as long as a pod's sandbox may take.
const patience = 90 * time.Second

// Error codes of the specification.
const (
	codeBadConfiguration = 7
	codeTryAgainLater    = 11
	codeNotAvailable     = 50
)

type request struct {
	Env    map[string]string `json:"env"`
	Config json.RawMessage   `json:"config"`
}

type failure struct {
	CNIVersion string `json:"cniVersion"`
	Code       int    `json:"code"`
	Msg        string `json:"msg"`
	Details    string `json:"details"`
}

func main() {
	config, err := io.ReadAll(os.Stdin)
	var settings struct {
		CNIVersion string `json:"cniVersion"`
		Socket     string `json:"socket"`
	}
	if err == nil {
		err = json.Unmarshal(config, &settings)
	}
	if err != nil {
		fail(failure{"1.0.0", codeBadConfiguration, "The network configuration on standard input is not valid JSON.", err.Error()})
	}
	if settings.Socket == "" {
		settings.Socket = defaultSocket
	}
	answer, ok, err := ask(settings.Socket, request{environment(), config})
	if err != nil {
		fail(failure{
			settings.CNIVersion,
			unreachableCode(),
			fmt.Sprintf("The ebpf-dataplane agent of this node does not answer at %s.", settings.Socket),
			err.Error() + "; next: kubectl -n ebpf-dataplane get pods -o wide, and the log of this node's agent",
		})
	}
	os.Stdout.Write(answer)
	if !ok {
		os.Exit(1)
	}
}

// The variables of the call; the rest of the environment is not passed on.
func environment() map[string]string {
	found := map[string]string{}
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "CNI_") {
			found[name] = value
		}
	}
	return found
}

func ask(socket string, call request) (answer []byte, ok bool, err error) {
	body, err := json.Marshal(call)
	if err != nil {
		return nil, false, err
	}
	client := http.Client{
		Timeout: patience,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", socket)
		}},
	}
	response, err := client.Post("http://agent/cni", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return answer, response.StatusCode == http.StatusOK, err
}

func unreachableCode() int {
	if os.Getenv("CNI_COMMAND") == "STATUS" {
		return codeNotAvailable
	}
	return codeTryAgainLater
}

func fail(what failure) {
	if what.CNIVersion == "" {
		what.CNIVersion = "1.0.0"
	}
	json.NewEncoder(os.Stdout).Encode(what)
	os.Exit(1)
}
