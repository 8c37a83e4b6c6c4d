// UDP flows of one process, each over a socket of its own at a port of its own, that watch who answers them.
import { type BareCluster, until } from "../cluster/bare-cluster.ts";
import type { Placed } from "../cluster/placed.ts";
import { inPod } from "./holding.ts";

/** One flow, and what has come back on it. Lists have each value once. */
export interface DatagramFlow {
  readonly how: "connected" | "unconnected";
  readonly to: string;
  readonly answers: number;
  readonly servers: readonly string[];
  /** The client's ports that servers saw, without the flow's own. */
  readonly otherPorts: readonly number[];
  /** Where answers came from, without the address that the flow asks. */
  readonly otherSources: readonly string[];
  /** Of the socket, by code. */
  readonly errors: readonly string[];
}

const holder = `
  const { createSocket } = require("node:dgram");
  const [port, first, count, ...hosts] = process.argv.slice(1);
  const add = (list, value) => void (list.includes(value) || list.push(value));
  const flows = [];
  for (const to of hosts) for (const how of ["connected", "unconnected"]) for (let at = 0; at < +count; at++) {
    const own = +first + flows.length;
    const flow = { how, to, answers: 0, servers: [], otherPorts: [], otherSources: [], errors: [] };
    flows.push(flow);
    const socket = createSocket(to.includes(":") ? "udp6" : "udp4");
    socket.on("error", ({ code }) => add(flow.errors, code));
    socket.on("message", (text, { address }) => {
      const { server, sourcePort } = JSON.parse(text);
      flow.answers++;
      add(flow.servers, server);
      if (sourcePort !== own) add(flow.otherPorts, sourcePort);
      if (address !== to) add(flow.otherSources, address);
    });
    const failed = (error) => { if (error) add(flow.errors, error.code); };
    const send = () => { try { how === "connected" ? socket.send("?", failed) : socket.send("?", +port, to, failed); } catch (error) { failed(error); } };
    const begin = () => void setInterval(send, 40);
    socket.bind(own, () => how === "connected" ? socket.connect(+port, to, (error) => error ? failed(error) : begin()) : begin());
  }
  setInterval(() => console.log(JSON.stringify(flows)), 100);`;

export class DatagramFlows {
  readonly #what: string;
  readonly #end: () => void;
  #now: readonly DatagramFlow[] = [];

  /** @param from the pod
   * @param first the first of their own ports
   * @param count of each kind, to each of the hosts' port 80 */
  constructor(what: string, cluster: BareCluster, from: Placed, first: number, count: number, ...hosts: string[]) {
    this.#what = what;
    const argv = [process.execPath, "-e", holder, "80", `${first}`, `${count}`, ...hosts];
    const child = cluster.spawn(from.node, inPod(from, argv));
    this.#end = () => void child.kill();
    let rest = "";
    child.stdout?.on("data", (text: Buffer) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      const line = lines.at(-1);
      if (line) this.#now = JSON.parse(line);
    });
  }

  get now(): readonly DatagramFlow[] {
    return this.#now;
  }

  end(): void {
    this.#end();
  }

  async begin(): Promise<void> {
    await until(
      `${this.#what} to begin`,
      async () => this.now.length > 0 && this.now.every(({ answers }) => answers > 0),
      () => JSON.stringify(this.now),
    );
  }

  /** Waits until each has had more answers. */
  async grow(many = 5): Promise<void> {
    const before = this.now;
    await until(
      `${this.#what} to go on`,
      async () => this.now.every(({ answers }, at) => answers > (before[at]?.answers ?? 0) + many),
      () => JSON.stringify(this.now),
    );
  }
}
