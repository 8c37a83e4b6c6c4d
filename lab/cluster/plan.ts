import { type LabMachine, type LabSpec, labAddressIpv6 } from "../../components/documents/lab.ts";
import { familiesOf } from "../../components/rules/families.ts";
import { controlPlaneOf, isNode } from "./description.ts";

/** The state when `up` starts. */
export interface Observation {
  /** The lab's recorded specification; undefined if it has none. */
  known: LabSpec | undefined;
  /** Something of the lab exists, recorded or not. */
  remains: boolean;
  /** Machines whose first process is running. */
  running: ReadonlySet<string>;
  /** Nodes on which kubeadm has finished. */
  bootstrapped: ReadonlySet<string>;
}

/** What `up` has to do, machine names in each list. */
export interface Plan {
  /** Why everything that exists must be removed first; undefined: keep it. */
  startOver: string | undefined;
  /** No longer wanted. */
  remove: LabMachine[];
  /** Incomplete nodes whose disk is re-created. */
  wipe: string[];
  boot: string[];
  bootstrap: string[];
}

/** Changed fields that a running cluster does not support, each with the old and the new value. */
export function unchangeable(known: LabSpec, wanted: LabSpec): string[] {
  const [families, now] = [known, wanted].map((spec) => familiesOf(spec).join(", ")) as [string, string];
  const changes = (["podSubnet", "serviceSubnet", "podSubnetIpv6", "serviceSubnetIpv6"] as const)
    .filter((field) => known[field] !== wanted[field])
    .map((field) => `${field}: ${known[field] ?? "none"} -> ${wanted[field] ?? "none"}`);
  if (families !== now) changes.push(`ipFamilies: ${families} -> ${now}`);
  // Each machine's addresses and routes follow from them.
  const [before, after] = [known, wanted].map(networkOf) as [string, string];
  if (before !== after) changes.push(`subnets: ${before} -> ${after}`);
  for (const machine of known.machines.filter(isNode)) {
    const now = wanted.machines.find(({ name }) => name === machine.name);
    if (machine.role === "control-plane" && now?.role !== "control-plane")
      changes.push(`control plane: ${machine.name} -> ${controlPlaneOf(wanted).name}`);
    else if (now && (!isSame(wanted, now, machine) || now.role !== machine.role))
      changes.push(`machine ${machine.name}: ${placeOf(machine)} -> ${placeOf(now)}`);
  }
  return changes;
}

/** The subnets with the router between them, in words. */
function networkOf({ subnets, machines }: LabSpec): string {
  const routers = machines.filter(({ role }) => role === "router").map(({ name }) => ({ router: name }));
  return subnets === undefined ? "none" : [...subnets, ...routers].map((one) => JSON.stringify(one)).join(" ");
}

/** Whether a machine stays where it is in the network of a lab. */
const isSame = (lab: LabSpec, one: LabMachine, other: LabMachine): boolean =>
  one.address === other.address &&
  labAddressIpv6(one, lab) === labAddressIpv6(other, lab) &&
  JSON.stringify(linkOf(one)) === JSON.stringify(linkOf(other));

const linkOf = ({ link: { mtu, lossPercent, delayMs } = {} }: LabMachine) => [mtu, lossPercent, delayMs];

const placeOf = ({ role, address, addressIpv6, link }: LabMachine): string =>
  [role, address, ...(addressIpv6 ? [addressIpv6] : []), ...(link ? [JSON.stringify(link)] : [])].join(" ");

function startOverReason({ known, remains, bootstrapped }: Observation, wanted: LabSpec): string | undefined {
  if (!known) return remains ? "an earlier run was interrupted before the lab was recorded" : undefined;
  const controlPlane = controlPlaneOf(wanted);
  return bootstrapped.has(controlPlane.name)
    ? undefined
    : "an earlier run was interrupted before the control plane was complete";
}

/**
 * Decides what to do to reach the wanted lab; nothing if it exists. Call it only if nothing unchangeable
 * differs.
 */
export function planUp(observed: Observation, wanted: LabSpec): Plan {
  const startOver = startOverReason(observed, wanted);
  const fresh = !observed.known || startOver !== undefined;
  const nodes = wanted.machines.filter(isNode).map(({ name }) => name);
  const names = wanted.machines.map(({ name }) => name);
  if (fresh) return { startOver, remove: [], wipe: [], boot: names, bootstrap: nodes };
  const known = observed.known?.machines ?? [];
  const moved = (before: LabMachine) =>
    wanted.machines.every((machine) => machine.name !== before.name || !isSame(wanted, machine, before));
  const remove = known.filter(moved);
  const bootstrap = nodes.filter((name) => !observed.bootstrapped.has(name));
  const again = new Set([...bootstrap, ...remove.map(({ name }) => name)]);
  const boot = names.filter((name) => again.has(name) || !observed.running.has(name));
  return { startOver, remove, wipe: bootstrap, boot, bootstrap };
}
