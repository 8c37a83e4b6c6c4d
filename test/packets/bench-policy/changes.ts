// One policy after the other changes among many, in the real maps and as rules of a real table, in a network and mount namespace of their
// own: `changes PODS POLICIES CHANGES OBJECTS SETTLE_MS`. Prints one line of JSON.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { Compiler } from "../../../agent/compile/compile.ts";
import { changingPolicy, policyCluster } from "../../../agent/compile/policy-cluster.fixture.ts";
import type { ClusterSnapshot } from "../../../agent/compile/snapshot.ts";
import { load } from "../../../agent/kernel/load.ts";
import { pinsUnder } from "../../../agent/kernel/pins.ts";
import { keepHeapSmall, limitHeapGrowth } from "../../../agent/process/heap.ts";
import { Reconciler } from "../../../agent/reconcile/reconciler.ts";
import type { NetworkPolicy } from "../../../model/objects/networking.ts";
import { selects } from "../../../model/policy/selector.ts";
import type { Changes, ChangeTime } from "./measured.ts";
import { type Applied, asChange, asTable, type PolicyRules } from "./rules.ts";

const [pods = 0, policies = 0, changes = 0] = process.argv.slice(2, 5).map(Number);
const [, , , , , objects = "", settleMs = ""] = process.argv;
limitHeapGrowth();
const scratch = mkdtempSync(join(tmpdir(), "bench-policy-"));
const cluster = policyCluster(pods, policies);
const versions = Array.from({ length: changes + 1 }, (_, version) => changingPolicy(version * 3));

const pins = pinsUnder("/sys/fs/bpf/dataplane");
const loaded = load({ objects, pins, logFile: join(scratch, "verifier.log") });
const compiler = new Compiler();
const reconciler = new Reconciler(loaded.maps);

const programVersion = (version: NetworkPolicy) =>
  programmed({ ...cluster, networkPolicies: cluster.networkPolicies.with(-1, version) });
const first = programVersion(versions[0] as NetworkPolicy);
keepHeapSmall(); // as an agent, whose start is over
await setTimeout(Number(settleMs));
const states: ReturnType<typeof programmed>[] = [];
for (const version of versions.slice(1)) {
  states.push(programVersion(version));
  await setImmediate();
}
const ebpf = states.map(({ time }) => time);
gc?.();
const last = states.at(-1) ?? first;
const result: Changes = {
  ebpf,
  written: last.written,
  identities: last.identities,
  resident: process.memoryUsage.rss() / 1e6,
  maps: lockedBytes() / 1e6,
  entries: {
    policies: loaded.maps.policies.entries().length,
    locations: loaded.maps.locations.entries().length,
  },
  nftables: tableChanges(),
};
process.stdout.write(`${JSON.stringify(result)}\n`);

function programmed(snapshot: ClusterSnapshot) {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const { maps, names } = compiler.compile(snapshot);
  const { written, problems } = reconciler.sync(maps);
  const { user, system } = process.cpuUsage(cpu);
  if (problems.length > 0) throw new Error(`not in the maps: ${JSON.stringify(problems[0])}`);
  const time = { wall: performance.now() - began, cpu: (user + system) / 1000 };
  return { time, written, identities: names.identities.size };
}

/** Of all maps of the dataplane: what the kernel charges. */
function lockedBytes(): number {
  const bytes = readdirSync(pins.maps).map((map) => {
    const shown = execFileSync("bpftool", ["-j", "map", "show", "pinned", join(pins.maps, map)], { encoding: "utf8" });
    return (JSON.parse(shown) as { bytes_memlock?: number }).bytes_memlock ?? 0;
  });
  return bytes.reduce((sum, one) => sum + one, 0);
}

function tableChanges(): ChangeTime[] {
  const rules = (policy: NetworkPolicy): PolicyRules => ({ name: policy.metadata.name, peers: peersOf(policy) });
  const all = [...cluster.networkPolicies.slice(0, -1), versions[0] as NetworkPolicy];
  const applied: Applied = new Map(
    cluster.endpoints.map(({ pod }) => {
      const labels = cluster.pods.find(({ metadata }) => metadata.name === pod)?.metadata.labels ?? {};
      const own = all.filter(({ spec }) => spec.podSelector && selects(spec.podSelector, labels));
      return [pod, own.map(({ metadata }) => metadata.name)];
    }),
  );
  apply(asTable(all.map(rules), applied));
  return versions.slice(1).map((policy, index) => apply(asChange(rules(policy), index + 1)));
}

function peersOf({ spec }: NetworkPolicy): string[] {
  const selector = spec.ingress?.[0]?.from?.[0]?.podSelector;
  const found = cluster.pods.filter(({ metadata }) => selector && selects(selector, metadata.labels ?? {}));
  return found.map(({ status }) => String(status.podIPs[0]?.ip));
}

/** One transaction. Shell words have the process's own processor time. */
function apply(script: string): ChangeTime {
  const { stderr, status } = spawnSync("bash", ["-c", "TIMEFORMAT='%R %U %S'; time nft -f -"], {
    input: script,
    encoding: "utf8",
  });
  const [wall = 0, user = 0, system = 0] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  if (status !== 0) throw new Error(`nft did not take the rules: ${stderr.slice(0, 1000)}`);
  return { wall: wall * 1000, cpu: (user + system) * 1000 };
}
