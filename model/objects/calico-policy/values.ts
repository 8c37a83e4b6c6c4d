import { type Cidr, familyOf, hostCidr, readCidr } from "../../address/address.ts";
import { parseSelector } from "../../calico-selector/parse.ts";

// What the values of Calico's policies may be, for the agent's schemas and for components: without zod. Source: the types, their CEL
// rules and the validator of projectcalico/calico (api/pkg/apis/projectcalico/v3, libcalico-go/lib/validator/v3).

/** Protocols that Calico names, and their numbers (IANA). */
export const PROTOCOLS = { TCP: 6, UDP: 17, ICMP: 1, ICMPv6: 58, SCTP: 132, UDPLite: 136 } as const;
const WITH_PORTS: ReadonlySet<number> = new Set([PROTOCOLS.TCP, PROTOCOLS.UDP, PROTOCOLS.SCTP]);

/** The number of a protocol that is written as a name, a number or a number in quotes; undefined for anything else. */
export function protocolOf(written: number | string): number | undefined {
  if (Object.hasOwn(PROTOCOLS, written)) return PROTOCOLS[written as keyof typeof PROTOCOLS];
  const number = typeof written === "number" || /^\d+$/.test(written) ? Number(written) : Number.NaN;
  return Number.isInteger(number) && number >= 1 && number <= 255 ? number : undefined;
}

export function protocolFault(written: number | string): string | undefined {
  if (protocolOf(written) !== undefined) return undefined;
  const meant = Object.keys(PROTOCOLS).find((name) => name.toLowerCase() === `${written}`.toLowerCase());
  const allowed = `allowed are ${Object.keys(PROTOCOLS).join(", ")} and numbers from 1 to 255`;
  return meant ? `did you mean ${meant}? ${allowed}` : allowed;
}

/** Whether the protocol has ports that rules can name. */
export const hasPorts = (protocol: number): boolean => WITH_PORTS.has(protocol);

/** Ports of a rule: a range, or the name that a container or a host endpoint gives a port. */
export type PortSpec = { readonly first: number; readonly last: number } | { readonly name: string };

/** Ports that are written as 80, "80", "8000:8100" or a name; undefined for anything else. */
export function portsOf(written: number | string): PortSpec | undefined {
  const [, from, to = from] = /^(\d+)(?::(\d+))?$/.exec(`${written}`) ?? [];
  if (from !== undefined) {
    const [first, last] = [Number(from), Number(to)];
    return first >= 1 && first <= last && last <= 65_535 ? { first, last } : undefined;
  }
  return typeof written === "string" && portNameFault(written) === undefined ? { name: written } : undefined;
}

export function portsFault(written: number | string): string | undefined {
  if (portsOf(written)) return undefined;
  return 'allowed are a port from 1 to 65535, a range like "8000:8100", or the name of a port';
}

function portNameFault(name: string): string | undefined {
  return /^[a-zA-Z0-9_.-]{1,128}$/.test(name)
    ? undefined
    : 'a port\'s name: at most 128 letters, digits, "_", "." and "-"';
}

/** Of a HostEndpoint: as Kubernetes has it for ports of containers. */
export function hostPortNameFault(name: string): string | undefined {
  return /^[a-z0-9](?:-?[a-z0-9])*$/.test(name) && /[a-z]/.test(name) && name.length <= 15
    ? undefined
    : 'a port\'s name: at most 15 lower case letters and digits, among them a letter, with a single "-" between some';
}

const LABEL_NAME = /^[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?$/;

/** The key of a label or an annotation, whose domain is in lower case. */
export function keyFault(key: string): string | undefined {
  const [name = "", domain, more] = key.split("/").reverse();
  const domainFits = domain === undefined || (domain.length <= 253 && SUBDOMAIN.test(domain));
  if (more === undefined && domainFits && name.length <= 63 && LABEL_NAME.test(name)) return undefined;
  return `"${key}" is no key; allowed are names of at most 63 letters, digits, "-", "_" and ".", with or without a DNS name and "/" before them`;
}

export function labelValueFault(value: string): string | undefined {
  if (value === "" || (value.length <= 63 && LABEL_NAME.test(value))) return undefined;
  return 'the value of a label: at most 63 letters, digits, "-", "_" and "."';
}

/** A block, or a single address as one. */
export function readNet(net: string): Cidr | undefined {
  return familyOf(net) ? hostCidr(net) : readCidr(net);
}

/** Of `nets` and `notNets`: a block without host bits, or an address. */
export function netFault(net: string): string | undefined {
  const read = readNet(net);
  if (!read) return `"${net}" is no CIDR; expected the form 10.244.0.0/16, fd00::/64 or 192.0.2.7`;
  const [address = ""] = net.split("/");
  return readCidr(`${address}/${read.family === "IPv4" ? 32 : 128}`)?.value === read.value
    ? undefined
    : `"${net}" has host bits; did you mean ${read.text}?`;
}

const LONGEST_SELECTOR = 1_024;
const GLOBAL = "global() is allowed only in namespaceSelector of a rule's source or destination";

/** Where a selector stands: `global()` is for the other side's namespaces only, and stands alone there. */
export type SelectorPlace = "namespaceSelector of a rule" | "elsewhere";

export function selectorFault(text: string, place: SelectorPlace = "elsewhere"): string | undefined {
  if (text.length > LONGEST_SELECTOR && [...text].length > LONGEST_SELECTOR)
    return `a selector of ${[...text].length} characters; allowed are ${LONGEST_SELECTOR}`;
  const { expression, fault } = parseSelector(text) as { expression?: { kind: string }; fault?: string };
  if (fault !== undefined) return fault;
  // Calico checks the text, so it also refuses a value like "global(".
  if (!text.includes("global(")) return undefined;
  if (place === "elsewhere") return GLOBAL;
  return expression?.kind === "global" && /^[ \t]*global\([ \t]*\)[ \t]*$/.test(text)
    ? undefined
    : "global() stands alone: it cannot be combined with other selectors";
}

const LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const POLICY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})?|(?:knp|ossg)\\.default\\.${LABEL}(?:\\.${LABEL})*)$`);
const GLOBAL_POLICY = new RegExp(`^(?:${LABEL}\\.)?${LABEL}$`);
const TIER = new RegExp(`^${LABEL}$`);

const NAMES = {
  object: { pattern: SUBDOMAIN, longest: 253, words: 'lower case letters, digits, "-" and "."' },
  policy: { pattern: POLICY, longest: 253, words: 'lower case letters, digits and "-", with at most one "."' },
  globalPolicy: {
    pattern: GLOBAL_POLICY,
    longest: 253,
    words: 'lower case letters, digits and "-", with at most one "."',
  },
  tier: { pattern: TIER, longest: 63, words: 'at most 63 lower case letters, digits and "-"' },
} as const;

export function nameFault(name: string, kind: keyof typeof NAMES): string | undefined {
  const { pattern, longest, words } = NAMES[kind];
  return name.length <= longest && pattern.test(name) ? undefined : `"${name}" is no name; allowed are ${words}`;
}

/** The place of the first value that an earlier one repeats; -1 where each stands once. */
export function repetition(values: readonly unknown[]): number {
  const seen = new Set<unknown>();
  return values.findIndex((value) => seen.size === seen.add(value).size);
}
