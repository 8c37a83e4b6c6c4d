import { readFileSync } from "node:fs";
import { measuredModeOf } from "../../model/mode/mode.ts";
import { ReturnMode, ServiceHandling } from "../dataplane/args.ts";
import { connectionSchema } from "../documents/remote-machine.ts";
import type { MachineAddress } from "../machine/machine.ts";
import { requireDocument } from "../refusal/document.ts";
import { at, checked, checkedField, type InputPlace, refuse } from "../refusal/refusal.ts";
import { requireAddress } from "../values/addresses.ts";
import { oneOf, requireUnique, requireWhole } from "../values/choices.ts";
import { requireHost } from "../values/host.ts";
import { requireLabels } from "../values/labels.ts";
import { requireLabel } from "../values/names.ts";
import {
  ComparisonMode,
  type LatencyThreshold,
  type SourceIpVerificationArgs,
  type SshConnection,
  type VerificationTarget,
} from "./args.ts";
import { requireExpectation } from "./expectation.ts";

/** Refuses what no cluster could be verified with; what only the clients' own resource knows is checked when it exists. */
export function requireVerification(place: InputPlace, args: SourceIpVerificationArgs): void {
  const { outputFolder } = args;
  requireLabel(at(place, "namespace"), args.namespace ?? "default");
  if (Object.keys(args.podLabels ?? {}).length === 0) {
    refuse(at(place, "podLabels"), args.podLabels, "labels that select the service's pods, like { app: 'nginx' }");
  }
  requireLabels(at(place, "podLabels"), args.podLabels);
  requireTargets(place, args);
  args.expectations?.forEach((expectation, index) => {
    requireExpectation(at(at(place, "expectations"), index), expectation);
  });
  requireMeasurement(place, args, ownMode(args));
  requireSsh(at(place, "ssh"), args.ssh ?? []);
  if (outputFolder !== undefined && !/^[\w./][\w./-]*$/.test(outputFolder)) {
    refuse(at(place, "outputFolder"), outputFolder, 'a path of letters, digits, "_", "-", "." and "/"');
  }
}

/** The deployment's own way of handling services, as a mode. */
export function ownMode({ returnMode, serviceHandling }: SourceIpVerificationArgs): ComparisonMode {
  return ComparisonMode[measuredModeOf(serviceHandling ?? ServiceHandling.Ebpf, returnMode ?? ReturnMode.Dsr)];
}

/** Every target, the short form first, with its address checked. */
export function targetsOf(place: InputPlace, args: SourceIpVerificationArgs): VerificationTarget[] {
  const { entryAddress, nodePort, targets = [] } = args;
  const short = nodePort === undefined ? [] : [{ entryAddress, nodePort }];
  const places = [...short.map(() => place), ...targets.map((_, index) => at(at(place, "targets"), index))];
  return [...short, ...targets].map((target, index) => {
    return { ...target, ...checkedField(places[index] ?? place, "entryAddress", target.entryAddress, requireAddress) };
  });
}

function requireTargets(place: InputPlace, args: SourceIpVerificationArgs): void {
  const { entryAddress, nodePort, targets = [], serviceHandling = ServiceHandling.Ebpf } = args;
  if ((entryAddress === undefined) !== (nodePort === undefined)) {
    const [given, missing] = nodePort === undefined ? ["entryAddress", "nodePort"] : ["nodePort", "entryAddress"];
    refuse(at(place, missing), undefined, `given together with ${given}`);
  }
  if (nodePort !== undefined) requireWhole(at(place, "nodePort"), nodePort, 30000, 32767);
  if (nodePort === undefined && targets.length === 0) {
    refuse(at(place, "targets"), targets, "at least one target, where entryAddress and nodePort are not given");
  }
  targets.forEach((target, index) => {
    const item = at(at(place, "targets"), index);
    requireTarget(item, target);
    // The policy that admits every client needs the address that kube-proxy puts in place of theirs.
    if (target.entryNode === undefined || serviceHandling === ServiceHandling.Ebpf) return;
    refuse(at(item, "entryNode"), target.entryNode, "absent where kube-proxy handles services: give entryAddress");
  });
}

function requireSsh(place: InputPlace, connections: SshConnection[]): void {
  requireUnique(
    (index) => at(at(place, index), "client"),
    connections.map(({ client }) => client),
  );
}

function requireTarget(place: InputPlace, target: VerificationTarget): void {
  const { entryAddress, entryNode, nodePort, service, port, from } = target;
  const entries = [entryAddress, entryNode].filter((entry) => entry !== undefined).length;
  if (service === undefined) {
    const allowed = "entryAddress or entryNode, with nodePort; or service, with port and from";
    if (entries !== 1 || port !== undefined || from !== undefined) refuse(place, Object.keys(target), allowed);
    requireWhole(at(place, "nodePort"), nodePort as number, 30000, 32767);
    if (entryNode !== undefined) requireLabel(at(place, "entryNode"), entryNode);
    return;
  }
  if (entries > 0 || nodePort !== undefined) refuse(place, Object.keys(target), "service, with port and from only");
  requireLabel(at(place, "service"), service);
  requireWhole(at(place, "port"), port as number, 1, 65535);
  if (!from || from.length === 0) refuse(at(place, "from"), from, "at least one pod/NAMESPACE/NAME");
  from.forEach((pods, index) => {
    if (!/^pod\/[^/]+\/.+$/.test(pods))
      refuse(at(at(place, "from"), index), pods, "pod/NAMESPACE/NAME or pod/NAMESPACE/LABEL=VALUE");
  });
}

function requireMeasurement(place: InputPlace, args: SourceIpVerificationArgs, own: ComparisonMode): void {
  const { latency, comparisonModes = [], thresholds = [] } = args;
  const { connections, concurrency } = latency ?? {};
  if (connections !== undefined) requireWhole(at(at(place, "latency"), "connections"), connections, 1, 60_000);
  if (concurrency !== undefined) requireWhole(at(at(place, "latency"), "concurrency"), concurrency, 1, 256);
  const modePlace = (index: number) => at(at(place, "comparisonModes"), index);
  requireUnique(modePlace, comparisonModes);
  thresholds.forEach((threshold, index) => {
    requireThreshold(at(at(place, "thresholds"), index), threshold, [own, ...comparisonModes]);
  });
  const nodePorts = [args.nodePort, ...(args.targets ?? []).map((target) => target.nodePort)];
  if ((latency || comparisonModes.length > 0 || thresholds.length > 0) && nodePorts.every((port) => port === undefined))
    refuse(at(place, "targets"), args.targets, "such that one has a nodePort: that is what is measured");
}

function requireThreshold(place: InputPlace, threshold: LatencyThreshold, measured: ComparisonMode[]): void {
  const { mode, baseline, atMost } = threshold;
  for (const [field, named] of Object.entries({ mode, baseline })) {
    if (named === undefined || measured.includes(named)) continue;
    refuse(at(place, field), named, `a mode that is measured (${oneOf(measured)}): add it to comparisonModes`);
  }
  if (!(Number.isFinite(atMost) && atMost > 0)) refuse(at(place, "atMost"), atMost, "a number above 0");
}

/** Reads check files now: their content is what is verified, and what a later deployment is compared with. */
export function readCheckFiles(place: InputPlace, paths: string[]) {
  return paths.map((name, index) => {
    try {
      return { name, text: readFileSync(name, "utf8") };
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      return refuse(at(at(place, "checkFiles"), index), name, `a file that can be read (${why})`);
    }
  });
}

/** How clients are entered, with everything looked at once it is known: OpenSSH would take a host "-o…" for an option. */
export function requireConnections(place: InputPlace, ssh: SshConnection[] = []): SshConnection[] {
  return ssh.map(({ client, ...connection }, index) => {
    const host = checked(connection.host, (known) => requireHost(at(at(place, index), "host"), known));
    return { client, ...requireDocument(at(place, index), connectionSchema, { ...connection, host }) };
  });
}

/** Clients often come from another resource, so they can be checked only when that exists. */
export function requireClients(
  place: InputPlace,
  clients: MachineAddress[],
  { droppedClients = [], latency, ssh = [] }: SourceIpVerificationArgs,
): MachineAddress[] {
  if (clients.length === 0) refuse(at(place, "clients"), clients, "at least one machine outside the cluster");
  clients.forEach((client, index) => {
    requireAddress(at(at(at(place, "clients"), index), "address"), client.address);
  });
  const names = clients.map((client) => client.name);
  requireUnique((index) => at(at(at(place, "clients"), index), "name"), names);
  const requireClient = (field: InputPlace, name: string): void => {
    if (!names.includes(name)) refuse(field, name, `the name of a client: ${names.join(", ")}`);
  };
  droppedClients.forEach((name, index) => {
    requireClient(at(at(place, "droppedClients"), index), name);
  });
  ssh.forEach(({ client }, index) => {
    requireClient(at(at(at(place, "ssh"), index), "client"), client);
  });
  if (latency?.client !== undefined) requireClient(at(at(place, "latency"), "client"), latency.client);
  return clients;
}
