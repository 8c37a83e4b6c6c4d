import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { SERVER } from "../health-checks/answers.ts";

/** The ports of kube-proxy's health checks and metrics in the node's network. Clusters keep these defaults, because
 * load balancers and monitoring use them. kube-proxy listens before it writes its first rule. */
const HEALTH = 10256;
const METRICS = 10249;
/** TCP_LISTEN (net/tcp_states.h) as /proc/net/tcp writes it. */
const LISTEN = "0A";

/** Whether a kube-proxy runs on this node, as a pod, as a system service or inside another program (k3s). Detected by
 * its ports, because the agent does not see the node's processes. Listeners of this process do not count. */
export function kubeProxyListens(net = "/proc/net"): boolean {
  const own = ownSockets();
  return listeners(net).some(({ port, inode }) => (port === HEALTH || port === METRICS) && !own.has(inode));
}

/** The same, for a process other than the agent, which may listen at the health checks' port itself. */
export async function kubeProxyRuns(
  net = "/proc/net",
  health = `http://127.0.0.1:${HEALTH}/healthz`,
): Promise<boolean> {
  if (!kubeProxyListens(net)) return false;
  if (listeners(net).some(({ port }) => port === METRICS)) return true;
  const answer = await fetch(health, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  return answer?.headers.get("server") !== SERVER;
}

interface Listener {
  readonly port: number;
  readonly inode: string;
}

function listeners(net: string): Listener[] {
  return ["tcp", "tcp6"].flatMap((table) => {
    const path = `${net}/${table}`;
    return existsSync(path) ? listening(readFileSync(path, "utf8")) : [];
  });
}

// proc_pid_net(5): "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...", addresses in hexadecimal.
function listening(table: string): Listener[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      return state === LISTEN ? [{ port: Number.parseInt(local.split(":").at(-1) as string, 16), inode }] : [];
    });
}

// proc_pid_fd(5): "socket:[12345]"
function ownSockets(folder = "/proc/self/fd"): ReadonlySet<string> {
  return new Set(
    readdirSync(folder).flatMap((file) => {
      try {
        return readlinkSync(`${folder}/${file}`).match(/^socket:\[(\d+)\]$/)?.[1] ?? [];
      } catch {
        return []; // closed meanwhile: the folder's own descriptor
      }
    }),
  );
}
