// The CNI plugin that the container runtime starts: passes its call to the node agent over a Unix socket and prints the
// answer. It contains no network code, so it does not have to be replaced together with the agent.
// Protocol: https://www.cni.dev/docs/spec/, section 2. The agent's side: agent/cni/server.ts.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const defaultSocket = "/run/ebpf-dataplane/agent.sock"

// Kubelet gives a pod's sandbox four minutes. On a busy node an agent with much to compile takes a part of them.
const patience = 200 * time.Second

// Error codes of the specification.
const (
	codeUnreadable    = 5
	codeUndecoded     = 6
	codeTryAgainLater = 11
	codeNotAvailable  = 50
)

// The same as in agent/cni/request.ts; a test compares them.
var supportedVersions = []string{"0.3.1", "0.4.0", "1.0.0", "1.1.0"}

type versions struct {
	CNIVersion        string   `json:"cniVersion"`
	SupportedVersions []string `json:"supportedVersions"`
}

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
	if err != nil {
		fail(failure{"1.0.0", codeUnreadable, "The network configuration cannot be read from standard input.", err.Error()})
	}
	// Needs no agent: a runtime asks before it uses a plugin. Old ones send no configuration.
	asksVersion := os.Getenv("CNI_COMMAND") == "VERSION"
	if err = json.Unmarshal(config, &settings); err != nil && !(asksVersion && len(config) == 0) {
		fail(failure{"1.0.0", codeUndecoded, "The network configuration on standard input is not valid JSON.", err.Error()})
	}
	if asksVersion {
		json.NewEncoder(os.Stdout).Encode(versions{supportedVersions[len(supportedVersions)-1], supportedVersions})
		return
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
			err.Error() + "; next: kubectl get pods -A -l k8s-app=ebpf-dataplane -o wide, and the log of this node's agent",
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
