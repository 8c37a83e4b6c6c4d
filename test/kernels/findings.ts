// Parses the output of inside.ts.
import type { VerifierCost } from "../../agent/kernel/verifier.fixture.ts";

export type Finding =
  | { readonly kernel: string }
  | { readonly object: string; readonly costs: Record<string, VerifierCost> }
  | { readonly object: string; readonly refused: string }
  /** A packet test, and its actual result if it failed. */
  | { readonly packets: string; readonly failed?: string }
  | { readonly encryption: EncryptedNodes }
  | { readonly end: true };

/** Two nodes that encrypt (encryption.ts). */
export interface EncryptedNodes {
  /** What the client got back is what it sent. */
  readonly same: boolean;
  /** The client's address as the server's socket has it, in hexadecimal. */
  readonly seenBy: string;
  /** Whether each node changed its key. */
  readonly rotated: readonly boolean[];
  /** Of each node, with each of its peers. */
  readonly handshakes: readonly (readonly boolean[])[];
  /** Frames between the nodes by kind, and how many of them hold what the client sent. */
  readonly wire: { readonly kinds: Readonly<Record<string, number>>; readonly readable: number };
  readonly podMtu: number;
  readonly refused: readonly Readonly<Record<string, number>>[];
}

export interface Findings {
  readonly kernel: string;
  readonly costs: Record<string, Record<string, VerifierCost>>;
  /** Object → the verifier's message. */
  readonly refused: Record<string, string>;
  readonly packets: Record<string, string | undefined>;
  /** undefined: it was not tried, or ended early. */
  readonly encryption: EncryptedNodes | undefined;
}

/** Ignores other lines, such as boot messages, and the carriage returns of a serial line.
 * @throws Error when the end is missing */
export function findingsIn(printed: string): Findings {
  const lines = printed.split(/\r*\n/).filter((line) => line.startsWith('{"'));
  const findings = lines.map((line) => JSON.parse(line) as Finding);
  if (!findings.some((finding) => "end" in finding))
    throw new Error(`The output is incomplete:\n${printed.slice(-3000)}`);
  return {
    kernel: findings.flatMap((one) => ("kernel" in one ? [one.kernel] : []))[0] ?? "",
    costs: Object.fromEntries(findings.flatMap((one) => ("costs" in one ? [[one.object, one.costs]] : []))),
    refused: Object.fromEntries(findings.flatMap((one) => ("refused" in one ? [[one.object, one.refused]] : []))),
    encryption: findings.flatMap((one) => ("encryption" in one ? [one.encryption] : []))[0],
    packets: Object.fromEntries(findings.flatMap((one) => ("packets" in one ? [[one.packets, one.failed]] : []))),
  };
}
