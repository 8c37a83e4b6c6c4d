import { z } from "zod";

/** How names are resolved for a probe from a pod, whose resolv.conf a prober outside its mount namespace cannot see. */
const dnsSchema = z.strictObject({
  servers: z.array(z.string()).min(1),
  /** Search domains, in order (resolv.conf(5)). */
  search: z.array(z.string()),
  /** A name with fewer dots is tried with the search domains first. */
  ndots: z.int().min(0),
});
export type Dns = z.infer<typeof dnsSchema>;

const familySchema = z.enum(["IPv4", "IPv6"]);
export type Family = z.infer<typeof familySchema>;

/** One probe of a batch. */
export const probeSchema = z.strictObject({
  /** Names the probe in the results; unique in the batch. */
  id: z.string(),
  /** Pod of the prober's node whose network namespace the probe leaves from: `NAMESPACE/NAME:UID`. */
  pod: z.string().optional(),
  /** Path of the network namespace that the probe leaves from. Without it and without `pod`: the prober's own. */
  netns: z.string().optional(),
  /** An address or a name. */
  host: z.string(),
  /** 0 with ICMP. */
  port: z.int().min(0).max(65535),
  protocol: z.enum(["tcp", "udp", "icmp", "sctp"]),
  /** The ICMP query. Default: an echo request of the address's family. */
  icmp: z.strictObject({ type: z.int().min(0).max(255).optional(), code: z.int().min(0).max(255) }).optional(),
  /** Local port to bind. Attempts that share one run one after the other. */
  sourcePort: z.int().min(1).max(65535).optional(),
  /**
   * Milliseconds of silence after which an attempt counts as dropped. The default outlasts the first retransmission of a
   * SYN (1 s, RFC 6298) and stays under the 3 s after which the kernel reports an unanswered ARP as "host unreachable".
   */
  timeoutMs: z.int().min(1).default(2000),
  /** Attempts, each a fresh connection or datagram. */
  count: z.int().min(1).default(1),
  /** Sent along (HTTP user agent, UDP payload), so that a server's log names the attempt: `<token>.<attempt>`. */
  token: z.string(),
  dns: dnsSchema.optional(),
  /** Of several addresses that a name has: only one of this family. */
  family: familySchema.optional(),
  /** Bytes that are sent, and compared with what comes back. Default: a request, and any answer. */
  size: z.int().min(1).optional(),
  /**
   * Continues over the socket of this name, which stays open after the batch; only in a session, with TCP or UDP and a source port.
   * A connection whose end was told in one step is replaced in the next.
   */
  keep: z.strictObject({ socket: z.string(), step: z.int().min(1) }).optional(),
  /** The path that is asked for (HTTP). Default: `/`. */
  path: z.string().startsWith("/").optional(),
});
export type Probe = z.infer<typeof probeSchema>;

export const batchSchema = z.array(probeSchema);

/** Results that a batch has. */
export const attemptsIn = (probes: Probe[]): number => probes.reduce((total, { count }) => total + count, 0);

/** The line with which a prober started with --wait reports that it is ready; the next line of input starts the probes. */
export const READY = '{"ready":true}';

/** The line with which an attended probe server reports that it listens. */
export const LISTENING = '{"listening":true}';

/** `none`: no packet was sent, `error` says why (name not resolved, local port busy, pod not on this node); or the result is not known, `undecided` says why. */
export type ProbeResult = "allowed" | "dropped" | "rejected" | "none";

/** The result of one attempt. */
export interface AttemptResult {
  id: string;
  /** Counts from 1. */
  attempt: number;
  verdict: ProbeResult;
  /** Milliseconds until the connection was established (TCP) or answered (UDP). */
  connectMs?: number;
  /** The three fields of a probe server's answer. */
  server?: string;
  source?: string;
  sourcePort?: number;
  localAddress?: string;
  localPort?: number;
  /** The address that was tried, when `host` was a name. */
  address?: string;
  error?: string;
  /** Of `none`: the name did not resolve; or, set by the caller, the prober was not reached. */
  cause?: "unresolved" | "lost";
  /** The connection was established (TCP). */
  opened?: boolean;
  /** The server's kernel has acknowledged the request, although no other answer arrived (TCP). Absent: not known. */
  acknowledged?: boolean;
  /** Why the result is not known although a packet was sent: this computer or the server had no CPU. */
  undecided?: string;
  /** What this computer lacks for the protocol: no later attempt will decide it either. */
  unsupported?: string;
  /** Why no packet can have left this network namespace, if known; the verdict then only reflects silence. */
  unsent?: string;
  /** With `size`: bytes that came back and are those that were sent. */
  echoed?: number;
  /** With `size`: offset of the first byte that came back and is another one. */
  differsAt?: number;
  /** The status of an HTTP answer. */
  status?: number;
  /** First bytes of an answer that is not a probe server's. */
  answer?: string;
}

/** The result of an attempt function; the batch adds the probe's id. */
export type Outcome = Omit<AttemptResult, "id" | "attempt">;
