// Changes of policies, each of which leaves `far` forbidden at `web` and `near` allowed at port 82.
import { expect } from "vitest";
import { type BareCluster, until } from "./cluster/bare-cluster.ts";
import { type KubernetesObject, pod } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { hold } from "./traffic/holding.ts";
import { startLoad } from "./traffic/load.ts";

const calico = (kind: string, name: string, spec: object, metadata: object = {}): KubernetesObject => ({
  ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name, ...metadata }, spec },
});
const tcp = (...ports: number[]) => ({ protocol: "TCP", destination: { ports } });
const near = { selector: "app == 'near'" };
const far = { selector: "app == 'far'" };

/** What the policy of the early tier says. */
const rulesOf = (farAddress: string): readonly object[][] => [
  [{ action: "Deny", source: far }, { action: "Pass" }],
  [
    { action: "Deny", ...tcp(81), source: near },
    { action: "Deny", source: { nets: [`${farAddress}/32`] } },
    { action: "Pass" },
  ],
  [{ action: "Deny", source: { notSelector: "app == 'near'" } }, { action: "Pass" }],
  [{ action: "Pass", protocol: "TCP", source: near, destination: { notPorts: [81] } }, { action: "Deny" }],
  [
    { action: "Log" },
    { action: "Deny", source: { selector: "app in {'far', 'other'}" } },
    { action: "Allow", source: near },
  ],
  [{ action: "Allow", ...tcp(82), source: near }, { action: "Deny" }],
];

/** The objects that are changed; they stay. */
export const FLAPPING: readonly KubernetesObject[] = [
  calico("Tier", "flap", {}),
  calico("GlobalNetworkPolicy", "flap", {}),
  calico("NetworkPolicy", "flap-near", {}, { namespace: "default" }),
];

export interface Cast {
  readonly web: Placed;
  readonly near: Placed;
  readonly far: Placed;
  /** Whom no policy is about. */
  readonly calm: Placed;
  readonly quiet: Placed;
}

/** Changes the policies of `web` so often while everybody connects, and fails if far was accepted once, or near or calm lost anything.
 * `web` and `quiet` serve echoes (serving.ts).
 * @param meanwhile runs before each change, by its number */
export async function flapUnderLoad(
  cluster: BareCluster,
  cast: Cast,
  flaps: number,
  meanwhile: (index: number) => Promise<void> = async () => {},
): Promise<void> {
  const { web, quiet } = cast;
  const rules = rulesOf(cast.far.address);
  const later = calico(
    "NetworkPolicy",
    "flap-near",
    { order: 30, selector: "app == 'web'", types: ["Ingress"], ingress: [{ action: "Allow", source: near }] },
    { namespace: "default" },
  );
  const early = (index: number) => [
    calico("Tier", "flap", { order: index % 4 < 2 ? 50 : 60, defaultAction: index % 8 < 4 ? "Deny" : "Pass" }),
    // Others' identities change too.
    pod({ ...quiet, labels: { app: "quiet", turn: `${index % 3}` } }),
    calico("GlobalNetworkPolicy", "flap", {
      ...{ tier: "flap", order: 10 + (index % 2), selector: "app == 'web'", types: ["Ingress"] },
      ingress: rules[index % rules.length],
    }),
  ];
  cluster.apply(later, ...early(0));
  await cluster.carriedOut();
  expect(await cluster.see("default/far", `${web.address}:81`)).toBe("dropped");
  const held = hold(cluster, `${web.address}:82`, 45_800, cast.near);
  const forbidden = startLoad(cluster, cast.far, `${web.address}:82`, { workers: 8, patience: 40 });
  const allowed = startLoad(cluster, cast.near, `${web.address}:82`, { workers: 2, patience: 60_000 });
  const unrelated = startLoad(cluster, cast.calm, `${quiet.address}:82`, { workers: 2, patience: 60_000 });
  await until("the load", async () => held.echoed > 0 && (await unrelated.counts()).echoed > 0);
  const before = [await allowed.repeated(), await unrelated.repeated()];
  for (let index = 1; index <= flaps; index++) {
    await meanwhile(index);
    cluster.apply(...early(index));
    await cluster.carriedOut();
  }
  const [closed, kept, calm] = await Promise.all([forbidden.counts(), allowed.counts(), unrelated.counts()]);
  const repeated = [(await allowed.repeated()) - (before[0] ?? 0), (await unrelated.repeated()) - (before[1] ?? 0)];
  console.log(
    `${flaps} changes: ${closed.tried} forbidden, ${kept.echoed} allowed, ${calm.echoed} unrelated connections`,
  );
  expect({ closed: closed.accepted, kept: kept.failed, calm: calm.failed, repeated: repeated[1] }).toEqual({
    ...{ closed: 0, kept: 0, calm: 0, repeated: 0 },
  });
  expect(Math.min(closed.tried, kept.echoed, calm.echoed)).toBeGreaterThan(flaps);
  expect(held.lines).toEqual(["connected"]);
  const echoed = held.echoed;
  await until("the connection that was held to go on", async () => held.echoed > echoed);
}
