import { expect, test } from "vitest";
import type { ListedLab } from "./list.ts";
import { inWords } from "./print.ts";
import { judge, type Sight } from "./verdict.ts";

const machines = [
  { name: "master", role: "control-plane", running: true, bootstrapped: true },
  { name: "node", role: "worker", running: true, bootstrapped: true },
];
const alone: Sight = { kind: "machines", machines: [] };
const whole: Sight = { kind: "cluster", machines, apiServerReady: true };
const dead = machines.map((machine) => ({ ...machine, running: false }));
const fresh = machines.map((machine) => ({ ...machine, bootstrapped: false }));

test.each<[string, Sight, string, string, boolean]>([
  ["a healthy cluster", whole, "ready", "", false],
  ["one whose API server is silent", { ...whole, apiServerReady: false }, "not ready", "API server", false],
  [
    "one without a node",
    { ...whole, machines: [...machines.slice(1), ...dead.slice(0, 1)] },
    "not ready",
    "master does not run",
    false,
  ],
  ["one after a reboot", { ...whole, machines: dead, apiServerReady: false }, "stopped", "'up' boots them", false],
  [
    "one that is being made",
    { ...whole, machines: fresh, holder: "'up' (process 7)" },
    "busy",
    "'up' (process 7)",
    false,
  ],
  ["one whose making was killed", { ...whole, machines: fresh }, "incomplete", "was ended", true],
  [
    "a rehearsal, whose user data leaves no mark",
    { kind: "cloud", machines: fresh, apiServerReady: true },
    "ready",
    "",
    false,
  ],
  [
    "one with a broken record",
    { ...whole, unreadable: "cluster.json cannot be read" },
    "leftover",
    "cannot be read",
    true,
  ],
  [
    "the same, whose machines may run",
    { ...whole, unreadable: "cluster.json cannot be read", hasNamespaces: true },
    "unknown",
    "somebody may be using it",
    true,
  ],
  ["a running test's", { ...alone, maker: { pid: 7, isAlive: true } }, "in use", "process 7", false],
  ["a killed test's", { ...alone, maker: { pid: 7, isAlive: false } }, "leftover", "was ended", true],
  ["one of nobody", alone, "unknown", "nothing says who", true],
])("%s", (_, sight, state, reason, isRemovable) => {
  expect(judge(sight)).toMatchObject({ state, isRemovable });
  expect(judge(sight).reason ?? "").toContain(reason);
});

test("a lab in words says who made it, its nodes and the command that removes it", () => {
  const labs: ListedLab[] = [
    {
      lab: "local",
      kind: "cluster",
      state: "incomplete",
      reason: "the run that made it was ended before it finished",
      since: "2026-11-29T15:02:03.000Z",
      user: "ada",
      checkout: "/srv/ada/dataplane",
      stack: "ebpf-dataplane.local",
      kubernetesVersion: "v1.35.0",
      machines: [
        { name: "master", role: "control-plane", address: "172.31.1.8", running: true, memoryBytes: 2 ** 30 },
        { name: "node", role: "worker", address: "172.31.1.207", addressIpv6: "fd00::207", running: false },
        { name: "client1", role: "client", address: "172.31.1.55", running: true },
      ],
      apiServer: { url: "https://127.0.0.1:16443", ready: false },
      memoryBytes: 1.5 * 2 ** 30,
      remove: "node /srv/ada/dataplane/dist/lab.js down local",
    },
  ];
  expect(inWords(labs)).toBe(`local: incomplete, Kubernetes v1.35.0, 1.50 GiB of memory
  why          the run that made it was ended before it finished
  made         by ada from /srv/ada/dataplane on 2026-11-29 15:02 UTC
  stack        ebpf-dataplane.local
  nodes        master (control-plane) 172.31.1.8, 1.00 GiB
               node 172.31.1.207, fd00::207, does not run
  clients      client1 172.31.1.55
  API server   https://127.0.0.1:16443, no answer
  remove with  node /srv/ada/dataplane/dist/lab.js down local
`);
  expect(inWords([])).toContain("no lab on this computer");
  const narrow = inWords(labs, 40);
  expect(narrow).toContain(
    "  made         by ada from\n               /srv/ada/dataplane on\n               2026-11-29 15:02 UTC\n",
  );
  expect(narrow, "to be copied").toContain("  remove with  node /srv/ada/dataplane/dist/lab.js down local\n");
});
