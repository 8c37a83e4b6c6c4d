// The places that an expectation names.
import { familyOf } from "../address/address.ts";

/** One pod by name, or every pod with these labels. */
export interface PodSelection {
  namespace: string;
  /** Exactly one of `name` and `labels` is there. */
  name?: string;
  labels?: Record<string, string>;
}

/** Where a probe comes from. */
export type Place =
  | { kind: "machine"; name: string }
  | { kind: "node"; name: string }
  | ({ kind: "pod" } & PodSelection);

/** A client that a server may report. */
export type Source = Place | { kind: "address"; address: string };

/** A text that does not have the form that its place requires. */
export class FormatError extends Error {
  /** What is allowed there. */
  readonly allowed: string;

  /** @param problem what is wrong with the text, which it quotes */
  constructor(problem: string, allowed: string) {
    super(`${problem}; allowed: ${allowed}`);
    this.allowed = allowed;
  }
}

// RFC 1123 subdomain: names of nodes, pods and services, and of machines.
const namePattern = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const labelKeyPattern = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]*[A-Za-z0-9])?$/;
const labelValuePattern = /^([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?$/;

const places = "a machine's name, node/NAME, pod/NAMESPACE/NAME or pod/NAMESPACE/LABEL=VALUE";

/** Reads `client1`, `node/NAME`, `pod/NS/NAME` or `pod/NS/app=web,tier=front`. */
export function parsePlace(text: string): Place {
  const [kind, ...rest] = text.split("/");
  if (kind === "node" && rest.length === 1) return { kind, name: requireName(text, rest[0] ?? "") };
  if (kind === "pod") return { kind, ...parsePod(text, rest.join("/")) };
  // A text of digits and dots only is an address, or a wrong one; never a name.
  if (rest.length === 0 && namePattern.test(text) && !/^[\d.]+$/.test(text)) return { kind: "machine", name: text };
  throw new FormatError(`"${text}" is not a place`, places);
}

/** Reads a place or an address. */
export function parseSource(text: string): Source {
  if (familyOf(text)) return { kind: "address", address: text };
  try {
    return parsePlace(text);
  } catch {
    throw new FormatError(`"${text}" is not a source`, `an address, ${places}`);
  }
}

/** Reads `NS/NAME` or `NS/app=web`, with or without a leading `pod/`. */
export function parseServer(text: string): PodSelection {
  return parsePod(text, text.replace(/^pod\//, ""));
}

/** Reads what follows `pod/`. A label key may hold a slash of its own, so only the first one separates. */
export function parsePod(text: string, reference: string): PodSelection {
  const slash = reference.indexOf("/");
  if (slash < 1) throw new FormatError(`"${text}" names no namespace`, "NAMESPACE/NAME or NAMESPACE/LABEL=VALUE");
  const namespace = requireName(text, reference.slice(0, slash));
  const rest = reference.slice(slash + 1);
  return rest.includes("=")
    ? { namespace, labels: parseLabels(text, rest) }
    : { namespace, name: requireName(text, rest) };
}

function parseLabels(text: string, pairs: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const pair of pairs.split(",")) {
    const [key = "", value = "", more] = pair.split("=");
    if (more !== undefined || !labelKeyPattern.test(key) || !labelValuePattern.test(value)) {
      throw new FormatError(`"${pair}" in "${text}" is not a label`, "KEY=VALUE, several separated by commas");
    }
    labels[key] = value;
  }
  return labels;
}

export function requireName(text: string, name: string): string {
  if (namePattern.test(name)) return name;
  throw new FormatError(`"${name}" in "${text}" is not a name`, 'lower case letters, digits, "-" and "."');
}
