// The local side of the portable prober: its input, and the interpretation of its raw results. Its program is portable/ (Go, static), for machines
// that have neither Node nor this package.
import { z } from "zod";
import { describe } from "./answer.ts";
import type { AttemptResult, Outcome, Probe } from "./batch.ts";
import { seedOf } from "./echo.ts";
import { resultOfError } from "./errors.ts";
import { explainSilence } from "./next-hop.ts";
import { request } from "./tcp-attempt.ts";
import { payload } from "./udp-attempt.ts";

const rawSchema = z.object({
  id: z.string(),
  attempt: z.int(),
  address: z.string().optional(),
  opened: z.boolean(),
  connectMs: z.number().optional(),
  ended: z.boolean().default(false),
  /** Base64. */
  received: z.string().default(""),
  localAddress: z.string().optional(),
  localPort: z.int().optional(),
  echoed: z.int().optional(),
  differsAt: z.int().optional(),
  refused: z.boolean().default(false),
  note: z.string().optional(),
  acknowledged: z.boolean().optional(),
  starved: z.string().optional(),
  unsupported: z.string().optional(),
  error: z.string().optional(),
  unresolved: z.boolean().default(false),
  routes: z.string().default(""),
  neighbours: z.string().default(""),
});
type Raw = z.output<typeof rawSchema>;

/** The document that the portable prober reads: every attempt by itself, with what is to be sent. */
export function portableBatch(batch: Probe[]): object[] {
  return batch.flatMap((probe) =>
    Array.from({ length: probe.count }, (_, index) => {
      const { id, host, port, protocol, sourcePort, timeoutMs, family, path, size, icmp } = probe;
      const token = `${probe.token}.${index + 1}`;
      if (size !== undefined || protocol === "icmp") {
        const seed = seedOf(token);
        return { id, attempt: index + 1, host, port, protocol, sourcePort, timeoutMs, family, size, seed, icmp };
      }
      const { keep } = probe;
      const sent =
        protocol === "tcp" ? Buffer.from(request({ host, port, token, path, keep: !!keep })) : payload({ port, token });
      const own = { id, attempt: index + 1, payload: sent.toString("base64"), keep };
      return { ...own, host, port, protocol, sourcePort, timeoutMs, family };
    }),
  );
}

/** What one line of the portable prober shows. */
export function readPortable(line: string, batch: Probe[]): AttemptResult {
  const raw = rawSchema.parse(JSON.parse(line));
  const probe = batch.find(({ id }) => id === raw.id);
  if (!probe) throw new Error(`the prober answered for ${raw.id}, which was not asked`);
  const { id, attempt } = raw;
  if (raw.unresolved)
    return {
      id,
      attempt,
      verdict: "none",
      error: `${probe.host} does not resolve${probe.family ? ` to an ${probe.family} address` : ""}: ${raw.error}`,
      cause: "unresolved",
    };
  const { unsupported } = raw;
  if (unsupported) return { id, attempt, verdict: "none", error: unsupported, unsupported };
  const outcome = outcomeOf(raw, probe);
  const { address = probe.host, connectMs, localAddress, localPort, routes, neighbours, echoed, differsAt } = raw;
  const { acknowledged } = raw;
  const told = describe(Buffer.from(raw.received, "base64").toString("utf8"));
  return {
    id,
    attempt,
    ...outcome,
    ...(raw.opened && { connectMs, localAddress, localPort }),
    ...(raw.opened && /tcp$/.test(probe.protocol) && { opened: true }),
    ...told,
    ...(echoed !== undefined && { echoed, differsAt }),
    ...(acknowledged !== undefined && { acknowledged }),
    ...explainSilence(outcome, address, () => ({ routes, neighbours })),
    ...(address !== probe.host && { address }),
  };
}

function outcomeOf(raw: Raw, probe: Probe): Outcome {
  const { starved } = raw;
  if (starved !== undefined) return { verdict: "none", undecided: starved };
  if (probe.protocol === "icmp") return icmpOutcome(raw, probe);
  if (probe.keep && probe.protocol === "tcp" && raw.opened) return keptOutcome(raw, probe);
  return probe.protocol === "udp" ? udpOutcome(raw, probe) : tcpOutcome(raw, probe);
}

function icmpOutcome({ ended, error, refused, note }: Raw, { timeoutMs }: Probe): Outcome {
  if (ended) return { verdict: "allowed" };
  if (refused) return { verdict: "rejected", error };
  if (error !== "TIMEOUT") return failed(error);
  return { verdict: "dropped", error: `no answer within ${timeoutMs} ms${note ? `; ${note}` : ""}` };
}

/** As in tcp-attempt.ts: allowed means that data came back, or at least the server's own close. */
function tcpOutcome({ opened, ended, received, error, echoed }: Raw, { timeoutMs, size }: Probe): Outcome {
  if (!opened && error === "TIMEOUT")
    return { verdict: "dropped", error: `no answer to the connection request within ${timeoutMs} ms` };
  if (!opened) return failed(error);
  if (error === "TIMEOUT" && echoed !== undefined && echoed > 0 && !ended)
    return { verdict: "dropped", error: `${echoed} of ${size} bytes came back, then nothing for ${timeoutMs} ms` };
  if (ended || received !== "") return { verdict: "allowed" };
  if (error === "TIMEOUT") return { verdict: "dropped", error: "the connection opened, then nothing came back" };
  return { verdict: "allowed", error: `${error} after the connection opened` };
}

/** Only an answer shows that a connection that was open before still carries data; its end is a rejection, whichever side ended it. */
function keptOutcome({ received, error }: Raw, { timeoutMs }: Probe): Outcome {
  if (received !== "") return { verdict: "allowed" };
  if (error === "TIMEOUT") return { verdict: "dropped", error: `no answer over the connection within ${timeoutMs} ms` };
  if (error === "CLOSED") return { verdict: "rejected", error: "the server closed the connection" };
  return failed(error);
}

function udpOutcome({ ended, error, note }: Raw, { timeoutMs }: Probe): Outcome {
  if (ended) return { verdict: "allowed" };
  if (error !== "TIMEOUT") return failed(error);
  return { verdict: "dropped", error: `no answer within ${timeoutMs} ms${note ? `; ${note}` : ""}` };
}

function failed(error = "it failed without a reason"): Outcome {
  return resultOfError(Object.assign(new Error(error), /^E[A-Z]+$/.test(error) && { code: error }));
}
