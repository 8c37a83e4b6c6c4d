import { existsSync, readFileSync } from "node:fs";

/** Where kube-proxy answers to health checks and gives its metrics, in the node's network; its defaults, which clusters keep
 * because load balancers and monitoring ask there. It listens before it writes its first rule. */
const PORTS = [10256, 10249];
/** TCP_LISTEN (net/tcp_states.h) as /proc/net/tcp writes it. */
const LISTEN = "0A";

/** Whether a kube-proxy runs on this node, as a pod, as a service of the system or inside another program (k3s). Told by its ports,
 * not by its process: the agent does not see the node's processes. */
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
