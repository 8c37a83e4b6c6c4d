import * as pulumi from "@pulumi/pulumi";
import { quantityOf } from "../../model/objects/quantity.ts";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { nearest } from "../refusal/suggestion.ts";
import { oneOf } from "../values/choices.ts";
import type { ResourceRequirements } from "./agent-pods-args.ts";
import { HEAP_MEBIBYTES, heapOptions } from "./heap.ts";

const MEBIBYTE = 2 ** 20;
const LIMIT_MEBIBYTES = HEAP_MEBIBYTES + 1024;

type Quantities = Record<string, string>;

/** The resources that the agent's container requests from its node, as known values. */
export interface AgentResources {
  requests: Quantities;
  limits: Quantities;
}

/** The kernel counts maps as memory of the container: 78 MiB when they are created, 250 MiB when all of them are full. With them a new
 * agent takes 160 MiB, and 200 MiB while its programs are verified. There is no limit of processor time: a pod waits for its network
 * while the agent is throttled. */
const USUAL: AgentResources = {
  requests: { cpu: "100m", memory: "256Mi" },
  limits: { memory: `${LIMIT_MEBIBYTES}Mi` },
};

/** With less memory a new agent is killed on every node while its programs are verified. */
const LEAST_MEMORY = "256Mi";

const KINDS = ["cpu", "memory", "ephemeral-storage"];

/** Refuses what Kubernetes would refuse, and too little memory for an agent. */
export function requireResources(place: InputPlace, given: Partial<AgentResources>): AgentResources {
  const { requests = USUAL.requests, limits = USUAL.limits } = given;
  for (const [name, quantities] of Object.entries({ requests, limits }))
    for (const [kind, text] of Object.entries(quantities)) requireQuantity(at(place, name), kind, text);
  const memory = limits.memory;
  if (memory !== undefined && amount(memory) < amount(LEAST_MEMORY))
    refuse(
      at(at(place, "limits"), "memory"),
      memory,
      `at least ${LEAST_MEMORY}: an agent with less is killed as it starts`,
    );
  for (const [kind, request] of Object.entries(requests)) {
    const limit = limits[kind];
    if (limit !== undefined && amount(request) > amount(limit))
      refuse(at(at(place, "requests"), kind), request, `at most limits.${kind}, which is ${limit}`);
  }
  return { requests, limits };
}

function requireQuantity(place: InputPlace, kind: string, text: string): void {
  const meant = nearest(kind, KINDS);
  if (!KINDS.includes(kind))
    refuse(place, kind, `amounts of ${oneOf(KINDS)} only${meant ? ` (did you mean "${meant}"?)` : ""}`);
  if (!(amount(text) >= 0)) refuse(at(place, kind), text, 'a quantity of Kubernetes, like "100m" or "256Mi"');
}

const amount = (text: string): number => quantityOf(text) ?? Number.NaN;

/** Resources of the agent's container, and the options of Node that belong to them. */
export function agentResources(given: pulumi.Input<ResourceRequirements> = {}): {
  resources: pulumi.Output<AgentResources>;
  nodeOptions: pulumi.Output<string>;
} {
  const resources = pulumi
    .output(given)
    .apply(({ requests = USUAL.requests, limits = USUAL.limits }) => ({ requests, limits }));
  const nodeOptions = resources.apply(({ limits }) => heapOptions(heapWithin(limits.memory)).join(" "));
  return { resources, nodeOptions };
}

/** The kernel's maps and V8 itself need the remaining memory of the container. */
function heapWithin(limit: string | undefined): number {
  if (limit === undefined) return HEAP_MEBIBYTES;
  return Math.min(HEAP_MEBIBYTES, Math.floor((amount(limit) / MEBIBYTE) * (HEAP_MEBIBYTES / LIMIT_MEBIBYTES)));
}
