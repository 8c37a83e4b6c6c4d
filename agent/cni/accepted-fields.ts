import type { Pod } from "../../model/objects/core.ts";
import { hostPorts } from "../../model/service/host-port.ts";
import { CniCode, CniError, type CniRequest } from "./request.ts";

type Config = CniRequest["config"];

/** Fields that every plugin may find in its configuration, and this plugin's own. */
const KNOWN = new Set([
  ...["cniVersion", "cniVersions", "name", "type", "capabilities", "runtimeConfig", "prevResult", "args"],
  ...["disableCheck", "disableGC", "loadOnlyInlinedPlugins"],
  "socket",
]);

/** Refuses a configuration that asks for something that this plugin does not do. Otherwise the field would be ignored silently. @throws
 * CniError */
export function expectAcceptedFields(config: Config): void {
  if (config.prevResult)
    throw new CniError(
      CniCode.INVALID_CONFIGURATION,
      `The network ${config.name} has a plugin before ${config.type}, which makes the pod's interface itself. Next: put ${config.type} first; chained plugins follow it.`,
    );
  for (const [field, value] of Object.entries(config))
    if (!KNOWN.has(field) && !field.startsWith("cni.dev/")) refuse(field, value, "It has no meaning for this plugin.");
  for (const [field, value] of Object.entries(config.runtimeConfig ?? {}))
    if (field !== "portMappings" && !isEmpty(value)) refuse(`runtimeConfig.${field}`, value, instead(field));
  const { ips } = config.args?.cni ?? {};
  if (!isEmpty(ips)) refuse("args.cni.ips", ips, instead("ips"));
}

/** Refuses port mappings that the pod's object does not have: the agent serves the object's mappings. @throws CniError */
export function expectKnownPortMappings({ runtimeConfig }: Config, pod: Pod | undefined): void {
  const mappings = runtimeConfig?.portMappings;
  if (isEmpty(mappings)) return;
  const served = new Set((pod ? hostPorts(pod) : []).map(textOf));
  const unknown = Array.isArray(mappings) ? mappings.find((mapping) => !served.has(textOf(mapping))) : mappings;
  if (unknown !== undefined)
    refuse("runtimeConfig.portMappings", mappings, "Host ports are those of the Pod (containers[].ports[].hostPort).");
}

interface Mapping {
  readonly hostPort?: unknown;
  readonly containerPort?: unknown;
  readonly protocol?: unknown;
  readonly hostIP?: unknown;
}

function textOf(mapping: Mapping | null): string {
  const { hostPort, containerPort, protocol, hostIP } = mapping ?? {};
  return `${hostPort} ${containerPort} ${String(protocol ?? "tcp").toLowerCase()} ${hostIP ?? ""}`;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

const INSTEAD: Readonly<Record<string, string>> = {
  bandwidth: "Next: annotate the Pod with kubernetes.io/ingress-bandwidth and egress-bandwidth.",
  ips: "Next: annotate the Pod with cni.projectcalico.org/ipAddrs.",
  ipRanges: "Next: make an IPPool, and name it in cni.projectcalico.org/ipv4pools or ipv6pools of the Pod.",
};

function instead(field: string): string {
  return INSTEAD[field] ?? "It has no meaning for this plugin.";
}

function refuse(field: string, value: unknown, next: string): never {
  const text = JSON.stringify(value).slice(0, 200);
  throw new CniError(
    CniCode.UNSUPPORTED_FIELD,
    `The network configuration has ${field}: ${text}, which is not supported. ${next}`,
  );
}
