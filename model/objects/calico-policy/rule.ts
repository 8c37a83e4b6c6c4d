import { z } from "zod";
import { list } from "../metadata.ts";
import { annotations, objectName, oneOf, ports, protocol, refused, reports, selector, unique } from "./fields.ts";
import { ruleFaults } from "./rule-faults.ts";
import { netFault, portsOf, protocolOf, readNet } from "./values.ts";

// A rule of projectcalico.org/v3 policies. An unknown field may narrow the rule, so it is refused with its path.

const nets = unique(refused(z.string(), netFault), 256).nullish();
const portList = z.array(ports).max(50, { error: "allowed are 50 ports and ranges" }).nullish();

const entity = z.strictObject({
  nets,
  notNets: nets,
  selector: selector(),
  notSelector: selector(),
  namespaceSelector: selector("namespaceSelector of a rule"),
  services: z.strictObject({ name: objectName.nullish(), namespace: objectName.nullish() }).nullish(),
  serviceAccounts: z.strictObject({ names: unique(z.string().min(1)).nullish(), selector: selector() }).nullish(),
  ports: portList,
  notPorts: portList,
});

const icmp = z
  .strictObject({
    type: z.int({ error: "allowed are numbers from 0 to 254" }).min(0).max(254).nullish(),
    code: z.int({ error: "allowed are numbers from 0 to 255" }).min(0).max(255).nullish(),
  })
  .nullish();

const written = z.strictObject({
  action: oneOf("Allow", "Deny", "Log", "Pass"),
  ipVersion: z.literal([4, 6], { error: "allowed are 4 and 6" }).nullish(),
  protocol: protocol.nullish(),
  notProtocol: protocol.nullish(),
  icmp,
  notICMP: icmp,
  source: entity.nullish(),
  destination: entity.nullish(),
  http: z.null({ error: "not supported: the dataplane does not read HTTP" }).optional(),
  /** For people: changes nothing. */
  metadata: z.strictObject({ annotations: annotations.nullish() }).nullish(),
});
type Written = z.output<typeof written>;

/** Ingress or egress rules of a policy. `ownNamespace`: services without a namespace are in the policy's. */
export function rules(direction: "ingress" | "egress", ownNamespace: boolean) {
  const rule = written
    .superRefine((value, context) => reports(context, ruleFaults(value, direction, ownNamespace)))
    .transform(ruleOf);
  return list(rule).refine((all) => all.length <= 1_024, { error: "allowed are 1,024 rules" });
}

/** One side of a rule: everything that is present must hold. Empty lists say nothing. */
export type CalicoEntity = ReturnType<typeof entityOf>;
export type CalicoRule = ReturnType<typeof ruleOf>;

function ruleOf({ action, ipVersion, icmp, notICMP, ...rule }: Written) {
  return {
    action,
    ipVersion: ipVersion ?? undefined,
    /** IANA's number. */
    protocol: rule.protocol == null ? undefined : protocolOf(rule.protocol),
    notProtocol: rule.notProtocol == null ? undefined : protocolOf(rule.notProtocol),
    icmp: icmpOf(icmp),
    notICMP: icmpOf(notICMP),
    source: entityOf(rule.source ?? {}),
    destination: entityOf(rule.destination ?? {}),
  };
}

/** Absent where nothing is said; a code only beside a type. */
function icmpOf(match: Written["icmp"]) {
  if (match?.type == null) return undefined;
  return { type: match.type, code: match.code ?? undefined };
}

function entityOf(side: Partial<NonNullable<Written["source"]>>) {
  const { services, serviceAccounts } = side;
  const names = serviceAccounts?.names ?? [];
  return {
    nets: netsIn(side.nets),
    notNets: netsIn(side.notNets),
    selector: side.selector,
    notSelector: side.notSelector,
    /** "global()", possibly with blanks: host endpoints and global network sets only. */
    namespaceSelector: side.namespaceSelector,
    /** A Service; without namespace, in the policy's. */
    services: services?.name ? { name: services.name, namespace: services.namespace || undefined } : undefined,
    /** Pods of service accounts that have one of the names, if there are any, and fit the selector. */
    serviceAccounts:
      names.length > 0 || serviceAccounts?.selector ? { names, selector: serviceAccounts?.selector } : undefined,
    ports: portsIn(side.ports),
    notPorts: portsIn(side.notPorts),
  };
}

/** As blocks. */
function netsIn(list: readonly string[] | null | undefined): string[] {
  return (list ?? []).flatMap((net) => readNet(net)?.text ?? []);
}

function portsIn(list: readonly (number | string)[] | null | undefined) {
  return (list ?? []).flatMap((text) => portsOf(text) ?? []);
}
