import { existsSync, readFileSync } from "node:fs";

/** The ports of kube-proxy's health checks and metrics in the node's network. Clusters keep these defaults, because
 * load balancers and monitoring use them. kube-proxy listens before it writes its first rule. */
const PORTS = [10256, 10249];
/** TCP_LISTEN (net/tcp_states.h) as /proc/net/tcp writes it. */
const LISTEN = "0A";

/** Whether a kube-proxy runs on this node, as a pod, as a system service or inside another program (k3s). Detected by
 * its ports, because the agent does not see the node's processes. */
export function kubeProxyListens(net = "/proc/net"): boolean {
  return ["tcp", "tcp6"].some((table) => {
    const path = `${net}/${table}`;
    return existsSync(path) && listeningPorts(readFileSync(path, "utf8")).some((port) => PORTS.includes(port));
  });
}

// proc_pid_net(5): "sl local_address rem_address st ...", numbers in hexadecimal.
function listeningPorts(table: string): number[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      return state === LISTEN ? [Number.parseInt(local.split(":").at(-1) as string, 16)] : [];
    });
}
