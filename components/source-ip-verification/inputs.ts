import { readFileSync } from "node:fs";
import type * as pulumi from "@pulumi/pulumi";
import { measuredModeOf } from "../../model/mode/mode.ts";
import { ReturnMode, ServiceHandling } from "../dataplane/args.ts";
import { connectionSchema } from "../documents/remote-machine.ts";
import type { MachineAddress } from "../machine/machine.ts";
import { requireDocument } from "../refusal/document.ts";
import { at, checked, checkedBeside, checkedField, type InputPlace, refuse } from "../refusal/refusal.ts";
import { isIpv6 } from "../rules/addresses.ts";
import { requireAddressIpv6, requireAnyAddress } from "../values/addresses.ts";
import { oneOf, requireUnique, requireWhole } from "../values/choices.ts";
import { requireHost } from "../values/host.ts";
import { requireImage } from "../values/image.ts";
import { requireLabels } from "../values/labels.ts";
import { requireLabel } from "../values/names.ts";
import {
  ComparisonMode,
  type LatencyThreshold,
  type ProbeServer,
  type SourceIpVerificationArgs,
  type SshConnection,
  type VerificationTarget,
} from "./args.ts";
import { type Expectation, requireExpectation } from "./expectation.ts";
import { requireListen } from "./listen.ts";

/** Values of a verification, each checked, or checked as soon as it is known. */
export interface CheckedVerification {
  namespace: pulumi.Input<string>;
  podLabels: pulumi.Input<Record<string, pulumi.Input<string>>>;
  clients: pulumi.Input<MachineAddress[]>;
  droppedClients: pulumi.Input<pulumi.Input<string>[]>;
  /** The short form first. */
  targets: VerificationTarget[];
  expectations: Expectation[];
  listen: ProbeServer[];
  ssh: SshConnection[];
  probeImage?: pulumi.Input<string>;
}

/** Refuses what no cluster could be verified with. */
export function requireVerification(place: InputPlace, args: SourceIpVerificationArgs): CheckedVerification {
  const { outputFolder, droppedClients = [] } = args;
  requireMeasurement(place, args, ownMode(args));
  requireSsh(at(place, "ssh"), args.ssh ?? []);
  if (outputFolder !== undefined && !/^[\w./][\w./-]*$/.test(outputFolder)) {
    refuse(at(place, "outputFolder"), outputFolder, 'a path of letters, digits, "_", "-", "." and "/"');
  }
  const targets = requireTargets(place, args);
  const entries = targets.flatMap(({ entryAddress }) => entryAddress ?? []);
  return {
    namespace: checked(args.namespace ?? "default", (name) => requireLabel(at(place, "namespace"), name)),
    podLabels: requirePodLabels(at(place, "podLabels"), args.podLabels),
    targets,
    expectations: (args.expectations ?? []).map((expectation, index) =>
      requireExpectation(at(at(place, "expectations"), index), expectation),
    ),
    ssh: requireConnections(at(place, "ssh"), args.ssh),
    listen: requireListen(at(place, "listen"), args.listen ?? []),
    clients: checkedBeside<MachineAddress[], unknown>(
      args.clients,
      [droppedClients, entries],
      (clients, [dropped, known]) => {
        requireClients(place, clients, dropped as string[], args);
        requireFamilies(place, clients, known as string[]);
        return clients;
      },
    ),
    droppedClients,
    ...checkedField(place, "probeImage", args.probeImage, requireImage),
  };
}

function requirePodLabels(place: InputPlace, podLabels: SourceIpVerificationArgs["podLabels"]) {
  return checked(podLabels, (labels) => {
    if (Object.keys(labels ?? {}).length > 0) return requireLabels(place, labels);
    return refuse(place, labels, "labels that select the service's pods, like { app: 'nginx' }");
  });
}

/** The deployment's own way of handling services, as a mode. */
export function ownMode({ returnMode, serviceHandling }: SourceIpVerificationArgs): ComparisonMode {
  return ComparisonMode[measuredModeOf(serviceHandling ?? ServiceHandling.Ebpf, returnMode ?? ReturnMode.Dsr)];
}

/** Every target, the short form first, with its values checked. */
function requireTargets(place: InputPlace, args: SourceIpVerificationArgs): VerificationTarget[] {
  const { entryAddress, nodePort, targets = [], serviceHandling = ServiceHandling.Ebpf } = args;
  if ((entryAddress === undefined) !== (nodePort === undefined)) {
    const [given, missing] = nodePort === undefined ? ["entryAddress", "nodePort"] : ["nodePort", "entryAddress"];
    refuse(at(place, missing), undefined, `given together with ${given}`);
  }
  if (nodePort === undefined && targets.length === 0) {
    refuse(at(place, "targets"), targets, "at least one target, where entryAddress and nodePort are not given");
  }
  const short = nodePort === undefined ? [] : [requireTarget(place, { entryAddress, nodePort })];
  const others = targets.map((target, index) => {
    const item = at(at(place, "targets"), index);
    const fit = requireTarget(item, target);
    // The policy that admits every client needs the address that kube-proxy puts in place of theirs.
    if (target.entryNode === undefined || serviceHandling === ServiceHandling.Ebpf) return fit;
    return refuse(
      at(item, "entryNode"),
      target.entryNode,
      "absent where kube-proxy handles services: give entryAddress",
    );
  });
  return [...short, ...others];
}

function requireTarget(place: InputPlace, target: VerificationTarget): VerificationTarget {
  const { entryAddress, entryNode, nodePort, service, port, from } = target;
  const entries = [entryAddress, entryNode].filter((entry) => entry !== undefined).length;
  if (service === undefined) {
    const allowed = "entryAddress or entryNode, with nodePort; or service, with port and from";
    if (entries !== 1 || port !== undefined || from !== undefined) refuse(place, Object.keys(target), allowed);
    return {
      ...checkedField(place, "entryAddress", entryAddress, requireAnyAddress),
      ...checkedField(place, "entryNode", entryNode, (field, name) => requireLabel(field, name)),
      nodePort: requirePort(at(place, "nodePort"), nodePort, 30000, 32767),
    };
  }
  if (entries > 0 || nodePort !== undefined) refuse(place, Object.keys(target), "service, with port and from only");
  if (!from || from.length === 0) refuse(at(place, "from"), from, "at least one pod/NAMESPACE/NAME");
  return {
    service: checked(service, (name) => requireLabel(at(place, "service"), name)),
    port: requirePort(at(place, "port"), port, 1, 65535),
    from: from.map((pods, index) => checked(pods, (known) => requirePods(at(at(place, "from"), index), known))),
  };
}

function requirePort(place: InputPlace, port: pulumi.Input<number> | undefined, lowest: number, highest: number) {
  return checked(port as pulumi.Input<number>, (known) => requireWhole(place, known, lowest, highest));
}

function requirePods(place: InputPlace, pods: string): string {
  if (/^pod\/[^/]+\/.+$/.test(pods)) return pods;
  return refuse(place, pods, "pod/NAMESPACE/NAME or pod/NAMESPACE/LABEL=VALUE");
}

function requireSsh(place: InputPlace, connections: SshConnection[]): void {
  requireUnique(
    (index) => at(at(place, index), "client"),
    connections.map(({ client }) => client),
  );
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
function requireConnections(place: InputPlace, ssh: SshConnection[] = []): SshConnection[] {
  return ssh.map(({ client, ...connection }, index) => {
    const host = checked(connection.host, (known) => requireHost(at(at(place, index), "host"), known));
    return { client, ...requireDocument(at(place, index), connectionSchema, { ...connection, host }) };
  });
}

/** Each client must be seen with its own address of the family that it connects to. */
function requireFamilies(place: InputPlace, clients: MachineAddress[], entries: string[]): void {
  clients.forEach(({ address, addressIpv6 }, index) => {
    const item = at(at(place, "clients"), index);
    const [ipv4, ipv6] = [entries.find((entry) => !isIpv6(entry)), entries.find(isIpv6)];
    if (addressIpv6 !== undefined) requireAddressIpv6(at(item, "addressIpv6"), addressIpv6);
    if (isIpv6(address) && ipv4 !== undefined)
      refuse(at(item, "address"), address, `an IPv4 address: the clients connect to ${ipv4}`);
    if (ipv6 !== undefined && addressIpv6 === undefined && !isIpv6(address))
      refuse(at(item, "addressIpv6"), addressIpv6, `given: the clients connect to ${ipv6} too`);
  });
}

/** Clients often come from another resource, so they can be checked only when that exists. */
function requireClients(
  place: InputPlace,
  clients: MachineAddress[],
  droppedClients: string[],
  { latency, ssh = [] }: SourceIpVerificationArgs,
): MachineAddress[] {
  if (clients.length === 0) refuse(at(place, "clients"), clients, "at least one machine outside the cluster");
  clients.forEach((client, index) => {
    requireAnyAddress(at(at(at(place, "clients"), index), "address"), client.address);
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
