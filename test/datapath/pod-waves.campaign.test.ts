// Pods come and go in waves on two nodes, as a container runtime calls the plugin, while agents are killed: no address is leaked or given twice.
// PODS=500 in all; it prints how long an ADD takes where no agent is killed.
import { afterAll, beforeAll, expect, test } from "vitest";
import { covers, hostCidr, parseCidr } from "../../model/address/address.ts";
import { hash32 } from "../../model/hash.ts";
import { kinds, resourcePath } from "../../model/objects/kinds.ts";
import { BareCluster } from "./bare-cluster.ts";
import { type NodeName, nodes, pod } from "./objects.ts";

const PODS = Number(process.env.PODS || 500);
const WAVE = 20;
const SEED = process.env.SEED || "1";

/** Calls the plugin for each pod, four at once, again and again while it fails: DEL first, as the kubelet has the runtime do. One JSON line each. */
const caller = `
  const { execFileSync, spawn } = require("node:child_process");
  const [command, ...names] = process.argv.slice(1);
  const config = JSON.stringify({ cniVersion: "1.0.0", name: "ebpf-dataplane", type: "ebpf-dataplane" });
  const call = (CNI_COMMAND, name) => new Promise((resolve) => {
    const CNI_ARGS = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=" + name + ";K8S_POD_UID=" + name;
    const env = { ...process.env, CNI_COMMAND, CNI_CONTAINERID: name, CNI_NETNS: "/run/netns/" + name, CNI_IFNAME: "eth0", CNI_PATH: "/opt/cni/bin", CNI_ARGS };
    const child = spawn("/opt/cni/bin/ebpf-dataplane", { env, stdio: ["pipe", "pipe", "ignore"] });
    let said = "";
    child.stdout.on("data", (text) => (said += text));
    child.on("close", (status) => resolve({ status, said }));
    child.stdin.on("error", () => {});
    child.stdin.end(config);
  });
  const work = async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      if (command === "ADD") execFileSync("ip", ["netns", "add", name]);
      for (let tries = 1; ; tries++) {
        const begun = performance.now();
        const { status, said } = await call(command, name);
        const ms = performance.now() - begun;
        if (status === 0) {
          const address = command === "ADD" ? JSON.parse(said).ips[0].address.split("/")[0] : "";
          console.log(JSON.stringify({ name, address, ms, tries }));
          break;
        }
        if (tries === 300) throw new Error(command + " of " + name + ": " + said);
        await new Promise((resolve) => setTimeout(resolve, 100));
        if (command === "ADD") await call("DEL", name);
      }
      if (command === "DEL") execFileSync("ip", ["netns", "delete", name]);
    }
  };
  Promise.all([1, 2, 3, 4].map(work)).catch((error) => { console.error(error.message); process.exit(1); });
`;

interface Called {
  readonly name: string;
  readonly address: string;
  readonly ms: number;
  readonly tries: number;
}

let cluster: BareCluster;
beforeAll(async () => {
  cluster = await BareCluster.start({ server: true });
}, 120_000);
afterAll(() => cluster?.close());

const places = Object.keys(nodes) as NodeName[];

async function calls(on: NodeName, command: "ADD" | "DEL", names: readonly string[]): Promise<Called[]> {
  const said = await cluster.run(on, [process.execPath, "-e", caller, command, ...names]);
  return said.split("\n").flatMap((line) => (line ? [JSON.parse(line) as Called] : []));
}

/** By node, the addresses that its agent has noted. */
async function noted(on: NodeName): Promise<string[]> {
  const file = JSON.parse(await cluster.run(on, ["cat", "/run/ebpf-dataplane/endpoints.json"])) as {
    endpoints: { address: string }[];
  };
  return file.endpoints.map(({ address }) => address).sort();
}

async function expectKept(living: ReadonlyMap<NodeName, Map<string, string>>): Promise<void> {
  const all = places.flatMap((place) => [...(living.get(place)?.values() ?? [])]);
  expect(new Set(all).size).toBe(all.length);
  const { items } = await cluster.at<{ items: { spec: { cidr: string; node: string } }[] }>(
    resourcePath(kinds.ipamBlocks),
  );
  for (const place of places) {
    const own = [...(living.get(place)?.values() ?? [])].sort();
    expect(await noted(place)).toEqual(own);
    const blocks = items.filter(({ spec }) => spec.node === place).map(({ spec }) => parseCidr(spec.cidr));
    expect(own.filter((address) => !blocks.some((block) => covers(block, hostCidr(address))))).toEqual([]);
  }
}

/** What an ADD of a node's agent waited for, since it started: "policy 40 ms". */
async function steps(on: NodeName): Promise<string> {
  const ask = 'fetch("http://127.0.0.1:9098/metrics").then((answer) => answer.text()).then(console.log)';
  const said = await cluster.run(on, [process.execPath, "-e", ask]);
  const found = said.matchAll(/cni_add_step_seconds_(sum|count)\{step="(\w+)"\} (\S+)/g);
  const byStep = Map.groupBy(found, ([, , step]) => step);
  return [...byStep]
    .map(([step, rows]) => {
      const of = (what: string) => Number(rows.find(([, kind]) => kind === what)?.[3]);
      return `${step} ${Math.round((1000 * of("sum")) / of("count"))} ms`;
    })
    .join(", ");
}

test("pods in waves, with agents killed among them", async () => {
  const living = new Map(places.map((place) => [place, new Map<string, string>()]));
  const calm: number[] = [];
  let repeated = 0;
  for (let wave = 0; wave * WAVE < PODS; wave++) {
    const chance = hash32(`${SEED} ${wave}`);
    const killed = wave % 2 === 1 ? places[chance % places.length] : undefined;
    const added = places.map(async (place, index) => {
      const names = Array.from({ length: WAVE / places.length }, (_, count) => `p${wave}-${index}-${count}`);
      for (const name of names) cluster.apply(pod({ name, node: place, labels: { app: "wave" }, address: "" }));
      const called = await calls(place, "ADD", names);
      for (const { name, address, ms, tries } of called) {
        living.get(place)?.set(name, address);
        repeated += tries - 1;
        if (killed === undefined) calm.push(ms);
      }
    });
    if (killed) {
      await new Promise((resolve) => setTimeout(resolve, (chance >>> 8) % 1_000));
      await cluster.killAgent(killed);
      await cluster.startAgent(killed);
    }
    await Promise.all(added);
    await expectKept(living);
    const removed = places.map(async (place) => {
      const names = [...(living.get(place)?.keys() ?? [])].filter(
        (name) => hash32(`${SEED} ${name} ${wave}`) % 2 === 0,
      );
      await calls(place, "DEL", names);
      for (const name of names) {
        living.get(place)?.delete(name);
        cluster.remove(pod({ name, node: place, labels: { app: "wave" }, address: "" }));
      }
    });
    await Promise.all(removed);
    await expectKept(living);
  }
  calm.sort((a, b) => a - b);
  const at = (share: number) => Math.round(calm[Math.floor(share * (calm.length - 1))] ?? 0);
  for (const place of places) console.log(`${place}, mean of the steps of an ADD: ${await steps(place)}`);
  console.log(`${PODS} pods, ${repeated} calls repeated; ADD without kills: median ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  expect(repeated).toBeGreaterThan(0);
}, 1_200_000);
