// Pods come and go in waves on two nodes, as a container runtime calls the plugin, while agents are killed: no address is leaked or given twice.
// PODS=500 in all, AT_ONCE=4 calls on each of NODES=2; it prints how long an ADD takes where no agent is killed, what it waits for, and what the kernel
// needs for a pair of interfaces alone, as many at once.
import { loadavg } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { covers, hostCidr, parseCidr } from "../../model/address/address.ts";
import { hash32 } from "../../model/hash.ts";
import { kinds, resourcePath } from "../../model/objects/kinds.ts";
import { BareCluster } from "./cluster/bare-cluster.ts";
import { type NodeName, nodes, pod } from "./cluster/objects.ts";
import { StepTimes } from "./cluster/step-times.ts";
import { compiled } from "./traffic/compiled.ts";

const PODS = Number(process.env.PODS || 500);
const AT_ONCE = Number(process.env.AT_ONCE || 4);
const WAVE = 20;
const SEED = process.env.SEED || "1";

interface Called {
  readonly name: string;
  readonly address: string;
  readonly ms: number;
  readonly tries: number;
}

interface Added {
  readonly ips: readonly [{ readonly address: string }];
}

let cluster: BareCluster;
let runtime: string;
beforeAll(async () => {
  runtime = await compiled("container-runtime");
  cluster = await BareCluster.start({ server: true });
}, 120_000);
afterAll(() => cluster?.close());

const places = (Object.keys(nodes) as NodeName[]).slice(0, Number(process.env.NODES || 2));

/** As a container runtime calls the plugin (container-runtime.c). */
async function calls(
  on: NodeName,
  command: "ADD" | "DEL" | "BARE" | "GONE",
  pods: readonly string[],
): Promise<Called[]> {
  const said = await cluster.run(on, [runtime, command, String(AT_ONCE), ...pods]);
  return said.split("\n").flatMap((line) => {
    const [name = "", ms, tries, ...rest] = line.split(" ");
    if (!name) return [];
    const result = rest.join(" ");
    const address = command === "ADD" ? (JSON.parse(result) as Added).ips[0].address.split("/")[0] : "";
    return [{ name, address: address ?? "", ms: Number(ms), tries: Number(tries) }];
  });
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

/** "median 40 ms, p99 60 ms" */
function spread(of: readonly number[]): string {
  const sorted = of.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return `median ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`;
}

test("pods in waves, with agents killed among them", async () => {
  const living = new Map(places.map((place) => [place, new Map<string, string>()]));
  const [calm, disturbed]: [number[], number[]] = [[], []];
  let repeated = 0;
  const times = new StepTimes();
  const note = async (on: NodeName) => times.add(await cluster.metrics(on));
  for (let wave = 0; wave * WAVE < PODS; wave++) {
    const chance = hash32(`${SEED} ${wave}`);
    const killed = wave % 2 === 1 ? places[chance % places.length] : undefined;
    if (killed) await note(killed);
    const added = places.map(async (place, index) => {
      const names = Array.from({ length: WAVE / places.length }, (_, count) => `p${wave}-${index}-${count}`);
      for (const name of names) cluster.apply(pod({ name, node: place, labels: { app: "wave" }, address: "" }));
      const called = await calls(place, "ADD", names);
      for (const { name, address, ms, tries } of called) {
        living.get(place)?.set(name, address);
        repeated += tries - 1;
        (killed === undefined ? calm : disturbed).push(ms);
      }
    });
    if (killed) {
      await new Promise((resolve) => setTimeout(resolve, (chance >>> 8) % 250));
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
  for (const place of places) await note(place);
  const many = `${AT_ONCE} at once on each of ${places.length}`;
  console.log(`${PODS} pods, ${many}, ${repeated} calls repeated; ADD without kills: ${spread(calm)}`);
  console.log(`ADD that succeeded while an agent was killed: ${spread(disturbed)}`);
  console.log(`what the agents' part of an ADD waited for, mean:\n  ${times.lines().join("\n  ")}`);
  console.log(
    `load: ${loadavg()
      .map((one) => one.toFixed(1))
      .join(" ")}`,
  );
  expect(repeated).toBeGreaterThan(0);
}, 1_200_000);

test("what the kernel needs for a pair of interfaces alone", async () => {
  const made = await Promise.all(
    places.map(async (place, index) => {
      const names = Array.from({ length: WAVE }, (_, count) => `bare${index}-${count}`);
      const called = await calls(place, "BARE", names);
      await calls(place, "GONE", names);
      return called.map(({ ms }) => ms);
    }),
  );
  console.log(`a pair made and set up by ip, ${AT_ONCE} at once on each of ${places.length}: ${spread(made.flat())}`);
  expect(made.flat()).toHaveLength(places.length * WAVE);
}, 300_000);
