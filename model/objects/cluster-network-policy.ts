import { z } from "zod";
import { distinct, oneOf } from "./calico-policy/fields.ts";
import { cidr } from "./cidr.ts";
import { metadata } from "./metadata.ts";
import { labelSelector } from "./networking.ts";

// policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy (KEP-2091, sigs.k8s.io/network-policy-api).

const pods = z.strictObject({
  /** Absent: every namespace. */
  namespaceSelector: labelSelector.nullish().transform((selector) => selector ?? { matchExpressions: [] }),
  podSelector: labelSelector,
});

/** Exactly one of the fields. An object without any may have one that this version does not know, so it must not match. */
function oneField<Shape extends z.ZodRawShape>(shape: Shape) {
  const fields = Object.keys(shape).join(", ");
  return z.strictObject(shape).refine((value) => Object.values(value).filter((field) => field != null).length === 1, {
    error: `needs exactly one of ${fields}`,
  });
}

const number = z.int().min(1).max(65_535);
const range = z.strictObject({ start: number, end: number }).refine(({ start, end }) => start < end, {
  path: ["end"],
  error: "must be greater than start",
});
const transport = z
  .strictObject({ destinationPort: oneField({ number: number.nullish(), range: range.nullish() }) })
  .nullish();

const protocol = oneField({
  tcp: transport,
  udp: transport,
  sctp: transport,
  destinationNamedPort: z.string().min(1).nullish(),
}).transform(({ tcp, udp, sctp, destinationNamedPort: name }) => {
  if (name != null) return { name };
  const [word, match] = tcp ? (["TCP", tcp] as const) : udp ? (["UDP", udp] as const) : (["SCTP", sctp] as const);
  const { number, range } = match?.destinationPort ?? {};
  return { protocol: word, first: number ?? range?.start ?? 1, last: number ?? range?.end ?? 65_535 };
});

const few = <T extends z.ZodType>(item: T) =>
  z
    .array(item, { error: "needs at least one item" })
    .min(1, { error: "needs at least one item" })
    .max(25, { error: "allowed are 25" });

const inPods = { namespaces: labelSelector.nullish(), pods: pods.nullish() };
const from = oneField(inPods);
const to = oneField({
  ...inPods,
  nodes: labelSelector.nullish(),
  networks: distinct(cidr, 25)
    .refine((all) => all.length > 0, { error: "needs at least one network" })
    .nullish(),
  domainNames: z.null({ error: "not supported: the dataplane does not know the addresses of names" }).optional(),
});

const common = {
  name: z.string().max(100, { error: "allowed are 100 characters" }).nullish(),
  action: oneOf("Accept", "Deny", "Pass"),
  protocols: few(protocol).nullish(),
};

const egressRule = z
  .strictObject({ ...common, to: few(to) })
  .refine(
    ({ to, protocols }) =>
      !(protocols?.some((match) => "name" in match) && to.some(({ networks, nodes }) => networks ?? nodes)),
    {
      path: ["protocols"],
      error: "destinationNamedPort cannot stand beside networks and nodes, which have no named ports",
    },
  );

const rules = <T extends z.ZodType>(rule: T) =>
  z
    .array(rule)
    .max(25, { error: "allowed are 25 rules" })
    .nullish()
    .transform((all) => all ?? []);

export const clusterNetworkPolicy = z.object({
  metadata,
  spec: z.strictObject({
    tier: oneOf("Admin", "Baseline"),
    /** Lower counts first. */
    priority: z.int({ error: "allowed are numbers from 0 to 1000" }).min(0).max(1_000),
    subject: oneField(inPods),
    ingress: rules(z.strictObject({ ...common, from: few(from) })),
    egress: rules(egressRule),
  }),
});
export type ClusterNetworkPolicy = z.output<typeof clusterNetworkPolicy>;
export type ClusterNetworkPolicyProtocol = z.output<typeof protocol>;
