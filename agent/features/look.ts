import { spawnSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { connect } from "node:net";
import { arch, release } from "node:os";
import { join } from "node:path";
import { cgroupMount } from "../kernel/cgroup-mount.ts";
import { requireBpffs } from "../kernel/pins.ts";
import { networkDevices } from "../network/devices.ts";
import { kubeProxyRuns } from "../network/kube-proxy-ports.ts";
import { hasKubeProxyRules } from "../network/kube-proxy-rules.ts";
import { otherTunnel } from "../network/tunnel.ts";
import { type KernelTrial, obstacle } from "./kernel-trial.ts";
import { otherPlugins } from "./plugins.ts";
import type { NodeReport } from "./report.ts";

export interface FeatureOptions {
  /** This node's address, to find its uplink. */
  nodeAddress?: string;
  /** `host:port` that agents must reach. */
  apiServer?: string;
  /** The folder in which the node's /sys and /etc are mounted. */
  nodeRoot: string;
}

/** Milliseconds in which an API server must accept a connection. */
const CONNECT_MS = 5000;

/** Examines this node, and tests its kernel in separate namespaces. Changes nothing. */
export async function lookAtNode(options: FeatureOptions): Promise<NodeReport> {
  const { nodeRoot, nodeAddress } = options;
  const { attach, wireguard, obstacles } = tryKernelApart();
  const devices = networkDevices();
  const uplink = devices.find(({ addresses }) => addresses.some(({ address }) => address === nodeAddress));
  return {
    kernel: release(),
    architecture: arch(),
    attach,
    wireguard,
    obstacles: {
      ...obstacles,
      cgroup: obstacle(() => cgroupMount(join(nodeRoot, "sys/fs/cgroup"))),
      bpffs: obstacle(() => requireBpffs("/sys/fs/bpf", statfsSync(join(nodeRoot, "sys/fs/bpf")).type)),
      apiServer: options.apiServer ? await connectTo(options.apiServer) : "",
      tunnelPort: otherTunnel(devices.filter(({ kind }) => kind === "vxlan")),
    },
    plugins: otherPlugins(join(nodeRoot, "etc/cni/net.d")),
    kubeProxy: { runs: await kubeProxyRuns(), rules: await hasKubeProxyRules() },
    mtu: uplink?.mtu ?? 0,
    localPorts: localPorts(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")),
  };
}

/** Runs this program again in separate namespaces, which end with it. */
function tryKernelApart(): KernelTrial {
  const words = ["--net", "--mount", process.execPath, process.argv[1] as string, "features", "--kernel-only"];
  const { status, stdout, stderr, error } = spawnSync("unshare", words, { encoding: "utf8" });
  if (!error && status === 0) return JSON.parse(stdout) as KernelTrial;
  const why = `the kernel could not be tested: ${error?.message ?? (stderr.trim() || `unshare exited with status ${status}`)}`;
  return { attach: "", obstacles: { programs: why, attach: "not tried", devices: "not tried" } };
}

function localPorts(text: string): [number, number] {
  const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
  return [first, last];
}

/** @returns why there is no connection, or "" */
function connectTo(place: string): Promise<string> {
  const { hostname, port } = new URL(`tcp://${place}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port), timeout: CONNECT_MS });
    const end = (why: string) => {
      socket.destroy();
      resolve(why);
    };
    socket.once("connect", () => end(""));
    socket.once("timeout", () => end(`${place} does not answer within ${CONNECT_MS / 1000} s`));
    socket.once("error", (error) => end(`${place}: ${error.message}`));
  });
}
