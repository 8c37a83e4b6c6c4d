// XDP in a driver of a real kernel (virtio-net): real agents, whose nodes have network cards as their uplinks. `uplink-cards` prints a line of JSON for each
// question (findings.ts reads them).
import { release } from "node:os";
import { BareCluster, until } from "../datapath/cluster/bare-cluster.ts";
import {
  clients,
  clientsIpv6,
  endpoints,
  endpointsIpv6,
  felix,
  type NodeName,
  nodes,
  nodesIpv6,
  service,
} from "../datapath/cluster/objects.ts";
import { connectCards, raiseUplink, setPortsMtu } from "./connected-cards.ts";
import { say, tell } from "./told.ts";

const PATIENCE = { timeoutMs: 10_000 };

async function main(): Promise<void> {
  say({ kernel: release(), processor: process.arch });
  let lab = "";
  const prepare = async (name: string) => {
    lab = name;
    await connectCards(lab);
  };
  const cluster = await BareCluster.start({ stack: "dual", prepare });
  try {
    await new Walk(cluster, lab).all();
  } finally {
    await cluster.close();
  }
  say({ end: true });
}

class Walk {
  readonly #cluster: BareCluster;
  readonly #lab: string;

  constructor(cluster: BareCluster, lab: string) {
    this.#cluster = cluster;
    this.#lab = lab;
  }

  async all(): Promise<void> {
    const cluster = this.#cluster;
    const web = await cluster.addPod("web", "node", { app: "web" });
    cluster.apply(
      service("web", { clusterIP: "10.96.0.10", clusterIPv6: "fd00:10:96::10", nodePort: 30604 }),
      endpoints("web", [web]),
      endpointsIpv6("web", [web]),
    );
    await this.#asks();
    tell("cards", "in a driver that can", await this.#program("master"), "xdp_uplink in the driver");
    tell("cards", "in a driver that refuses", await this.#program("node"), "none");
    const reason = /XDP is not used on the uplink eth0: (.*?)\. Its packets are handled at tc/.exec(
      cluster.log("node"),
    );
    tell("cards", "why it refuses", `${/GRO_HW\/CSUM/.exec(reason?.[1] ?? cluster.log("node"))?.[0]}`, "GRO_HW/CSUM");
    await this.#forwards("known connections");
    await this.#keeps("the link goes down and up", async () => {
      await this.#onMaster("ip", "link", "set", "eth0", "down");
      await raiseUplink(this.#lab, "master");
    });
    await this.#keeps("its rings change", () => this.#onMaster("ethtool", "-G", "eth0", "rx", "128"), true);
    await this.#keeps("segments are not merged", () => this.#onMaster("ethtool", "-K", "eth0", "gro", "off"));
    await this.#keeps(
      "its driver is asked to merge",
      () => this.#onMaster("ethtool", "-K", "eth0", "rx-gro-hw", "on"),
      true,
    );
    await this.#restarts();
    await setPortsMtu(this.#lab, 9000, "client1", "master");
    await cluster.run("client1", ["ip", "link", "set", "eth0", "mtu", "9000"]);
    await this.#withMtu(4000);
    await this.#usesTooManyQueues();
  }

  async #asks(): Promise<void> {
    this.#cluster.apply(felix({ "ebpf-dataplane.io/xdp": "Native" }, { bpfExternalServiceMode: "DSR" }));
    await this.#cluster.carriedOut();
    await until(
      "the card of master to have the program",
      async () => (await this.#program("master")) !== "none",
      () => this.#cluster.log("master"),
    );
  }

  async #program(node: NodeName): Promise<string> {
    const shown = await this.#cluster.run(node, ["ip", "-json", "-details", "link", "show", "dev", "eth0"]);
    const { mode, prog } = JSON.parse(shown)[0].xdp ?? {};
    return prog ? `${prog.name} ${mode === 1 ? "in the driver" : `in mode ${mode}`}` : "none"; // XDP_ATTACHED_DRV
  }

  #early(outcome: string): number {
    return Number(this.#cluster.totals("master").get(outcome)?.early ?? 0n);
  }

  /** Clients are served, and seen, in both families. */
  async #serves(when: string): Promise<void> {
    const [result, ipv6] = [
      await this.#cluster.see("client1", `${nodes.master}:30604`, PATIENCE),
      await this.#cluster.see("client1", `[${nodesIpv6.master}]:30604`, PATIENCE),
    ];
    tell("cards", `${when}: a client`, result, `allowed default/web saw ${clients.client1}`);
    tell("cards", `${when}: a client of IPv6`, ipv6, `allowed default/web saw ${clientsIpv6.client1}`);
  }

  /** The same while the driver sends the connection's packets on. */
  async #forwards(when: string): Promise<void> {
    const before = this.#early("forward_service");
    await until(
      `the card of master to forward (${when})`,
      async () => {
        await this.#serves(when);
        return this.#early("forward_service") > before;
      },
      () => this.#cluster.log("master"),
    );
  }

  /** @param mayFail whether the driver may refuse it */
  async #keeps(what: string, change: () => Promise<unknown>, mayFail = false): Promise<void> {
    try {
      await change();
    } catch (error) {
      if (!mayFail) throw error;
      console.log(`${what}: ${error instanceof Error ? error.message : error}`);
    }
    tell("cards", `when ${what}`, await this.#program("master"), "xdp_uplink in the driver");
    await this.#forwards(`when ${what}`);
  }

  /** An agent that starts again leaves the link alone. */
  async #restarts(): Promise<void> {
    const changes = () => this.#onMaster("cat", "/sys/class/net/eth0/carrier_changes");
    const before = await changes();
    await this.#cluster.endAgent("master");
    await this.#forwards("without an agent");
    await this.#cluster.startAgent("master");
    await this.#cluster.carriedOut();
    tell("cards", "after another agent's start", await this.#program("master"), "xdp_uplink in the driver");
    tell("cards", "changes of the carrier meanwhile", await changes(), before);
  }

  /** The agent asks the driver anew, and leaves the card where the driver would drop large packets without a word. */
  async #withMtu(mtu: number): Promise<void> {
    const isPinned = async () => (await this.#onMaster("find", "/sys/fs/bpf", "-name", "eth0-xdp-1500")) !== "";
    const expected = takesSeveralPages() ? "xdp_uplink in the driver" : "none";
    await this.#onMaster("ip", "link", "set", "eth0", "mtu", `${mtu}`);
    await until(
      `the agent of master to notice an MTU of ${mtu}`,
      async () => !(await isPinned()) && (await this.#program("master")) === expected,
      () => this.#cluster.log("master"),
    );
    const said = await this.#cluster.run("client1", ["ping", "-c", "3", "-s", `${mtu - 100}`, nodes.master]);
    const back = /(\d+) packets received/.exec(said)?.[1];
    tell("cards", `with an MTU of ${mtu}: packets of ${mtu - 100} bytes`, `${back} come back`, "3 come back");
    await this.#serves(`with an MTU of ${mtu}`);
    await this.#onMaster("ip", "link", "set", "eth0", "mtu", "1500");
    await until("the card of master to have XDP again", isPinned, () => this.#cluster.log("master"));
    await this.#forwards(`with an MTU of 1500 after ${mtu}`);
  }

  /** The driver would end the kernel with the first packet that it sends. It refuses another number of queues while it has the program. */
  async #usesTooManyQueues(): Promise<void> {
    const uses = (pairs: number) => this.#onMaster("ethtool", "-L", "eth0", "combined", `${pairs}`);
    const refused = await uses(3).then(
      () => "taken",
      () => "refused",
    );
    tell("cards", "more queues while the card has the program", refused, "refused");
    this.#cluster.apply(felix({}, { bpfExternalServiceMode: "DSR" }));
    await until(
      "the card of master to have no program",
      async () => (await this.#program("master")) === "none",
      () => this.#cluster.log("master"),
    );
    await uses(3);
    this.#cluster.apply(felix({ "ebpf-dataplane.io/xdp": "Native" }, { bpfExternalServiceMode: "DSR" }));
    await until(
      "the agent of master to say that the card uses too many queues",
      async () => /on the uplink eth0: it uses 3 of its 4 pairs of queues/.test(this.#cluster.log("master")),
      () => this.#cluster.log("master"),
    );
    tell("cards", "with more queues than processors", await this.#program("master"), "none");
    await this.#serves("with more queues than processors");
    await uses(2);
    await until(
      "the card of master to have the program again",
      async () => (await this.#program("master")) !== "none",
      () => this.#cluster.log("master"),
    );
    await this.#forwards("with as many queues as processors");
  }

  #onMaster(...argv: string[]): Promise<string> {
    return this.#cluster.run("master", argv);
  }
}

/** virtio-net since Linux 6.3. */
function takesSeveralPages(): boolean {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  return major > 6 || (major === 6 && minor >= 3);
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    say({ cards: "preparation", failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    process.exit(1);
  },
);
