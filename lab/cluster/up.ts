import { type LabMachine, type LabSpec, labAddressIpv6 } from "../../components/documents/lab.ts";
import { gatewayFor, linksOf, subnetsOf } from "../../components/documents/lab-network.ts";
import { familiesOf } from "../../components/rules/families.ts";
import { LabFailure } from "../failure.ts";
import { packageFolder, releasesFolder, requireRelease } from "../installation.ts";
import { requireBird, writeBirdConfiguration } from "../machines/bird.ts";
import { ensureDisk } from "../machines/disk.ts";
import { requireImpairment } from "../machines/impairment.ts";
import { firstProcess, type Service, startMachine, stopMachine } from "../machines/machine.ts";
import { hasIpv6 } from "../machines/namespaces.ts";
import { createNetwork } from "../machines/network.ts";
import { beginLab, readOrigin } from "../machines/origin.ts";
import { isAlive } from "../machines/processes.ts";
import { findRemains, removeLab } from "../machines/removal.ts";
import { machineDisk } from "../names.ts";
import type { Progress } from "../progress.ts";
import { type ApiServerPath, waitUntilReady } from "./api-server.ts";
import { isBootstrapped } from "./bootstrap.ts";
import { controlPlaneOf, describeLab, isNode, type LabDescription } from "./description.ts";
import { requireSpace } from "./disk-space.ts";
import { startForwarder } from "./forwarder.ts";
import { type Image, requireArchives, selectImages, staleImages } from "./images.ts";
import { createToken, newToken } from "./join-token.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { requireMemory } from "./memory.ts";
import { bringUpNodes, refreshImages } from "./nodes.ts";
import { ownImages } from "./own-images.ts";
import { type Plan, planUp, unchangeable } from "./plan.ts";
import { type ClusterState, readState, writeState } from "./state.ts";
import { removeMachine, wipeMachine } from "./withdrawal.ts";

function refuseUnchangeable(known: LabSpec | undefined, wanted: LabSpec): void {
  const changes = known ? unchangeable(known, wanted) : [];
  if (changes.length > 0)
    throw new LabFailure(`lab ${wanted.name} exists and does not support these changes:\n  ${changes.join("\n  ")}`, {
      next: `remove it with 'down ${wanted.name}', then run 'up' again`,
      exitCode: 2,
    });
}

function planFor(spec: LabSpec, state: ClusterState | undefined): Plan {
  const names = spec.machines.map(({ name }) => name);
  const remains = Object.values(findRemains(spec.name)).some((found) => found.length > 0);
  const running = new Set(names.filter((name) => firstProcess(spec.name, name)));
  const bootstrapped = new Set(names.filter((name) => isBootstrapped(spec.name, name)));
  return planUp({ known: state?.spec, remains, running, bootstrapped }, spec);
}

async function bootMachines(spec: LabSpec, plan: Plan): Promise<void> {
  // Also removes the remains of a machine that died: it boots with its disk and nothing else, as after a power failure.
  await Promise.all(plan.boot.map((name) => stopMachine(spec.name, name)));
  const connected = spec.machines.map((machine) => ({ ...machine, addressIpv6: labAddressIpv6(machine, spec) }));
  const subnets = subnetsOf(spec);
  await createNetwork(spec.name, connected, subnets);
  await Promise.all(
    spec.machines.map(async (machine) => {
      const settings = isNode(machine) ? `RELEASES=${releasesFolder}\n` : undefined;
      await ensureDisk(spec.name, machine.name, spec.machines, settings, gatewayFor(subnets, machine));
      if (machine.role === "router") await writeBirdConfiguration(machineDisk(spec.name, machine.name), subnets);
      if (plan.boot.includes(machine.name)) await startMachine(spec.name, machine.name, servicesOf(machine));
    }),
  );
}

function servicesOf(machine: LabMachine): Service[] {
  if (machine.role === "router") return ["bird"];
  return isNode(machine) ? ["containerd", "kubelet"] : [];
}

async function ensureForwarder(spec: LabSpec, state: ClusterState): Promise<number> {
  if (state.forwarder && isAlive(state.forwarder)) return state.forwarder.port;
  state.forwarder = await startForwarder(spec.name, controlPlaneOf(spec).name, state.forwarder?.port);
  writeState(spec.name, state);
  return state.forwarder.port;
}

async function prepareGround(spec: LabSpec, plan: Plan, state: ClusterState | undefined, progress: Progress) {
  if (plan.startOver) {
    progress.note(`removing the existing lab: ${plan.startOver}`);
    await removeLab(spec.name);
    return undefined;
  }
  for (const machine of plan.remove) {
    progress.note(`removing machine ${machine.name}, which is no longer wanted`);
    await removeMachine(spec.name, controlPlaneOf(spec).name, machine);
  }
  if (state) for (const name of plan.wipe) await wipeMachine(spec.name, controlPlaneOf(spec).name, name);
  return state;
}

/** A new control plane is given its first token; a running one creates another. */
async function tokenFor(path: ApiServerPath, plan: Plan): Promise<string> {
  if (plan.bootstrap.includes(path.controlPlane)) return newToken();
  await waitUntilReady(path, 120);
  return createToken(path.lab, path.controlPlane);
}

/** Images that a node does not have yet. They are determined before anything changes: without one of them the cluster would stay
 * incomplete. */
function imagesToLoad({ name: lab, machines }: LabSpec, { startOver, wipe }: Plan, ours: Image[]): Image[] {
  if (startOver) return ours;
  return machines.filter(isNode).flatMap(({ name }) => {
    const images = [...ours, ...ownImages(lab)];
    return wipe.includes(name) ? images : staleImages(lab, name, images);
  });
}

/** Creates the specified lab; existing parts that are correct are not changed. */
export async function up(spec: LabSpec, progress: Progress): Promise<LabDescription> {
  const ours: Image[] = selectImages(spec.images, spec.kubeProxy);
  requireRelease(spec.kubernetesVersion);
  if (familiesOf(spec).includes("IPv6") && !hasIpv6())
    throw new LabFailure("the cluster's ipFamilies need IPv6, which this host's kernel does not have", {
      next: 'boot it without ipv6.disable=1, or make a cluster with ipFamilies ["IPv4"]',
      exitCode: 2,
    });
  if (spec.machines.some(({ role }) => role === "router")) await requireBird();
  await requireImpairment(linksOf(subnetsOf(spec), spec.machines));
  const earlier = readState(spec.name);
  refuseUnchangeable(earlier?.spec, spec);
  const plan = planFor(spec, earlier);
  requireArchives(imagesToLoad(spec, plan, ours));
  const booting = spec.machines.filter(({ name }) => plan.boot.includes(name));
  requireMemory(spec.name, booting);
  requireSpace(spec.name, booting);
  const checkout = readOrigin(spec.name)?.checkout;
  if (checkout !== undefined && checkout !== packageFolder)
    progress.note(`lab ${spec.name} was made from ${checkout}; this is ${packageFolder}, and both use the same lab`);
  const kept = await prepareGround(spec, plan, earlier, progress);
  beginLab(spec.name);
  const images = [...ours, ...ownImages(spec.name)];
  const state: ClusterState = { ...kept, spec };
  writeState(spec.name, state);
  const begin = plan.boot.length > 0 ? `boot ${plan.boot.join(", ")}` : "check the machines";
  await progress.phase(begin, () => bootMachines(spec, plan));
  const port = await ensureForwarder(spec, state);
  const path = { lab: spec.name, controlPlane: controlPlaneOf(spec).name, port };
  if (plan.bootstrap.length > 0) {
    const joinToken = await tokenFor(path, plan);
    await bringUpNodes({ spec, plan, images, path, joinToken, progress });
  }
  await refreshImages(spec, images, progress);
  await progress.phase("wait for the API server", () => waitUntilReady(path, 120));
  return describeLab(spec, writeKubeconfig(spec.name, path.controlPlane, port));
}
