// Parses the output of inside.ts.
import type { VerifierCost } from "../../agent/kernel/verifier.fixture.ts";
import type { Family } from "../../model/address/address.ts";

export type Finding =
  | { readonly kernel: string; readonly processor?: string }
  | { readonly object: string; readonly costs: Record<string, VerifierCost> }
  | { readonly object: string; readonly refused: string }
  /** A packet test, and its actual result if it failed. */
  | { readonly packets: string; readonly failed?: string }
  /** A connection through real agents (connections.ts). */
  | { readonly connections: string; readonly failed?: string }
  /** What an agent did with XDP in a card (uplink-cards.ts). */
  | { readonly cards: string; readonly failed?: string }
  | { readonly encryption: EncryptedNodes }
  | { readonly end: true };

/** Two nodes that encrypt (encryption.ts). */
export interface EncryptedNodes {
  /** The only one that nodes and pods have. */
  readonly family: Family;
  /** What the client got back is what it sent. */
  readonly same: boolean;
  /** The client's address as the server's socket has it, in hexadecimal. */
  readonly seenBy: string;
  /** Whether each node changed its key. */
  readonly rotated: readonly boolean[];
  /** Of each node, with each of its peers: whether they had agreed on a session before anything was sent, and at the end. */
  readonly silent: readonly (readonly boolean[])[];
  readonly handshakes: readonly (readonly boolean[])[];
  /** Frames between the nodes by kind, and how many of them hold what the client sent. */
  readonly wire: { readonly kinds: Readonly<Record<string, number>>; readonly readable: number };
  readonly podMtu: number;
  readonly refused: readonly Readonly<Record<string, number>>[];
}

/** Each that was tried, and what was wrong. */
export type Results = Readonly<Record<string, string | undefined>>;

export interface Findings {
  readonly kernel: string;
  /** As Node calls it; undefined: it was not said. */
  readonly processor: string | undefined;
  readonly costs: Record<string, Record<string, VerifierCost>>;
  /** Object → the verifier's message. */
  readonly refused: Record<string, string>;
  readonly packets: Results;
  readonly connections: Results;
  readonly cards: Results;
  /** By family; one that is missing was not tried, or ended early. */
  readonly encryption: Readonly<Record<string, EncryptedNodes>>;
}

/** Ignores other lines, such as boot messages, and the carriage returns of a serial line.
 * @throws Error when the end is missing */
export function findingsIn(printed: string): Findings {
  const lines = printed.split(/\r*\n/).filter((line) => line.startsWith('{"'));
  const findings = lines.map((line) => JSON.parse(line) as Finding);
  if (!findings.some((finding) => "end" in finding))
    throw new Error(`The output is incomplete:\n${printed.slice(-3000)}`);
  const entries = <T>(pick: (one: Finding) => T | undefined): T[] =>
    findings.map(pick).filter((picked) => picked !== undefined);
  return {
    kernel: entries((one) => ("kernel" in one ? one.kernel : undefined))[0] ?? "",
    processor: entries((one) => ("processor" in one ? one.processor : undefined))[0],
    costs: Object.fromEntries(entries((one) => ("costs" in one ? [one.object, one.costs] : undefined))),
    refused: Object.fromEntries(entries((one) => ("refused" in one ? [one.object, one.refused] : undefined))),
    packets: resultsOf(entries((one) => ("packets" in one ? [one.packets, one.failed] : undefined))),
    connections: resultsOf(entries((one) => ("connections" in one ? [one.connections, one.failed] : undefined))),
    cards: resultsOf(entries((one) => ("cards" in one ? [one.cards, one.failed] : undefined))),
    encryption: Object.fromEntries(
      entries((one) => ("encryption" in one ? [one.encryption.family, one.encryption] : undefined)),
    ),
  };
}

/** What failed once has failed, although it was tried again. */
function resultsOf(tried: readonly [string, string | undefined][]): Results {
  const results: Record<string, string | undefined> = {};
  for (const [name, failed] of tried) results[name] ??= failed;
  return results;
}

/** What failed, with why. */
export function wrong(results: Results): string[] {
  return Object.entries(results).flatMap(([name, failed]) => (failed === undefined ? [] : [`${name}:\n${failed}`]));
}
