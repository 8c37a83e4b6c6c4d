// A standard node: the ptp plugin (a veth pair and a route per pod), the kernel's routing, and
// the real kube-proxy, whose rules are also in the forwarding path of every packet.
import { kubernetesBinary } from "../../lab/installation.ts";
import { kubeconfigPath, type TestbedApiServer } from "./api-server.ts";
import { addByCni, type BenchPod } from "./bench-pod.ts";
import { type RunningProgram, type TestbedMachine, waitUntilHealthy } from "./testbed-machine.ts";

/** Contains the pod subnets of both kinds of nodes. */
const clusterNetwork = "10.244.0.0/15";
/** The plugins' folder in Debian's containernetworking-plugins. */
const pluginFolder = "/usr/lib/cni";

export type ProxyMode = "iptables" | "nftables";

export class LinuxNode {
  readonly machine: TestbedMachine;
  readonly #api: TestbedApiServer;
  readonly #podSubnet: string;
  #proxy: RunningProgram | undefined;

  /** @param podSubnet this node's pods get addresses of it, as "10.245.1.0/24" */
  constructor(machine: TestbedMachine, api: TestbedApiServer, podSubnet: string) {
    this.machine = machine;
    this.#api = api;
    this.#podSubnet = podSubnet;
  }

  async start(mode: ProxyMode): Promise<void> {
    await this.#api.writeKubeconfig(this.machine);
    await this.machine.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    await this.startProxy(mode);
  }

  /** Starts kube-proxy with its defaults. It is ready after its first synchronization. */
  async startProxy(mode: ProxyMode): Promise<void> {
    const settings = [
      `--kubeconfig=${kubeconfigPath}`,
      `--hostname-override=${this.machine.name}`,
      `--proxy-mode=${mode}`,
      `--cluster-cidr=${clusterNetwork}`,
      // Neither limit of the host's connection tracking may be set from a network namespace.
      "--conntrack-max-per-core=0",
      "--conntrack-tcp-timeout-established=0",
      "--conntrack-tcp-timeout-close-wait=0",
    ];
    const proxy = this.machine.start("kube-proxy", [kubernetesBinary(), "kube-proxy", ...settings]);
    this.#proxy = proxy;
    await waitUntilHealthy(this.machine, "http://127.0.0.1:10256/healthz", proxy);
  }

  /** The kernel's rules stay. */
  async stopProxy(): Promise<void> {
    await this.#proxy?.stop("SIGKILL");
  }

  async addPod(name: string, mtu?: number): Promise<BenchPod> {
    const ipam = { type: "host-local", ranges: [[{ subnet: this.#podSubnet }]], routes: [{ dst: "0.0.0.0/0" }] };
    const config = { cniVersion: "1.0.0", name: "bench", type: "ptp", ...(mtu && { mtu }), ipam };
    return addByCni(this.machine, name, { plugin: "ptp", folder: pluginFolder, config });
  }

  /** The route to another node's pods, as flannel creates it with its host-gw or VXLAN backend. */
  async routeTo(other: LinuxNode, vxlan: boolean): Promise<void> {
    if (!vxlan) {
      await this.machine.run(["ip", "route", "replace", other.#podSubnet, "via", other.machine.address]);
      return;
    }
    const gateway = other.#podSubnet.replace(/\/.*/, "");
    await this.machine.run(
      ["ip", "-batch", "-"],
      `link add flannel.1 address ${tunnelMac(this)} type vxlan id 1 local ${this.machine.address} dstport 8472 nolearning
       link set flannel.1 mtu 8950 up
       neigh replace ${gateway} lladdr ${tunnelMac(other)} dev flannel.1 nud permanent
       route replace ${other.#podSubnet} via ${gateway} dev flannel.1 onlink
      `,
    );
    const entry = ["bridge", "fdb", "append", tunnelMac(other), "dev", "flannel.1", "dst", other.machine.address];
    await this.machine.run(entry);
  }
}

/** Derived from the address, so that each node knows the others'. */
const tunnelMac = ({ machine }: LinuxNode): string =>
  ["02", "00", ...machine.address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
