// What the nodes of a bare cluster send, captured on its switch.
import type { BareCluster } from "../datapath/cluster/bare-cluster.ts";
import type { NodeName } from "../datapath/cluster/objects.ts";
import { WireCapture } from "./wire-capture.ts";

/** Less than what its socket holds arrives meanwhile. */
const READ_MS = 20;

/** Frames that a node sends to anybody but clients, who get their answers in the clear. */
export class NodesWire {
  readonly #start: () => Record<NodeName, WireCapture>;
  #captures: Record<NodeName, WireCapture>;
  readonly #timer: NodeJS.Timeout;

  private constructor(start: () => Record<NodeName, WireCapture>) {
    this.#start = start;
    this.#captures = start();
    this.#timer = setInterval(() => this.#read(), READ_MS);
  }

  /** @param texts what nobody may read */
  static async of(cluster: BareCluster, switchNetns: string, texts: readonly string[]): Promise<NodesWire> {
    const macOf = async (machine: NodeName | "client1" | "client2") =>
      (await cluster.run(machine, ["cat", "/sys/class/net/eth0/address"])).trim().replaceAll(":", "");
    const [master, node, ...clients] = await Promise.all(
      (["master", "node", "client1", "client2"] as const).map(macOf),
    );
    const sentBy =
      (mac = "") =>
      (frame: Buffer) =>
        frame.toString("hex", 6, 12) === mac && !clients.includes(frame.toString("hex", 0, 6));
    const captureOf = (mac: string | undefined) => new WireCapture(`/run/netns/${switchNetns}`, texts, sentBy(mac));
    return new NodesWire(() => ({ master: captureOf(master), node: captureOf(node) }));
  }

  /** Forgets what was sent before. */
  begin(): void {
    this.#read();
    for (const capture of Object.values(this.#captures)) capture.close();
    this.#captures = this.#start();
  }

  from(name: NodeName): ReturnType<WireCapture["summary"]> {
    this.#read();
    return this.#captures[name].summary();
  }

  between(): ReturnType<WireCapture["summary"]> {
    const [master, node] = [this.from("master"), this.from("node")];
    const kinds = { ...master.kinds };
    for (const [kind, count] of Object.entries(node.kinds)) kinds[kind] = (kinds[kind] ?? 0) + count;
    return { kinds, readable: master.readable + node.readable };
  }

  close(): void {
    clearInterval(this.#timer);
    for (const capture of Object.values(this.#captures)) capture.close();
  }

  #read(): void {
    for (const capture of Object.values(this.#captures)) capture.read();
  }
}
