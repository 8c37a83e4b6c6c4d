import type { AttemptResult, Outcome, Probe } from "./batch.ts";
import { isPortables, runPortable } from "./by-portable.ts";
import { attemptEcho, leftTooLate } from "./echo-attempt.ts";
import { isPortBusy } from "./errors.ts";
import { explainSilence } from "./next-hop.ts";
import { resolveHost } from "./resolve.ts";
import { attemptTcp } from "./tcp-attempt.ts";
import { attemptUdp } from "./udp-attempt.ts";

/** Attempts under way at once in one process: far under the usual limit of open files, far over what a check needs. */
const mostAtOnce = 256;
/** How long a fixed local port may stay busy with our own last connection before the attempt is given up. */
const portPatienceMs = 1500;
const portRetryMs = 20;
/** How often an echo is tried again whose bytes left too late. */
const lateRetries = 3;

/** Runs every attempt of every probe from this network namespace; results come as they happen. */
export async function runBatch(probes: Probe[], emit: (result: AttemptResult) => void): Promise<void> {
  const [portables, own] = [probes.filter(isPortables), probes.filter((probe) => !isPortables(probe))];
  const queue = lanes(own);
  const worker = async (): Promise<void> => {
    for (let lane = queue.shift(); lane; lane = queue.shift()) {
      for (const { probe, attempt } of lane) emit({ id: probe.id, attempt, ...(await attemptOnce(probe, attempt)) });
    }
  };
  const workers = Array.from({ length: Math.min(mostAtOnce, queue.length) }, worker);
  await Promise.all([...workers, runPortable(portables, emit)]);
}

interface Attempt {
  probe: Probe;
  attempt: number;
}

/** Attempts that bind the same local port, or that send much, share a lane and run in order; every other attempt has its own. */
function lanes(probes: Probe[]): Attempt[][] {
  const byPort = new Map<string, Attempt[]>();
  for (const probe of probes) {
    for (let attempt = 1; attempt <= probe.count; attempt++) {
      const own = probe.size === undefined ? `${probe.id}#${attempt}` : probe.id;
      const key = probe.sourcePort ? `${probe.protocol}:${probe.sourcePort}` : own;
      byPort.set(key, [...(byPort.get(key) ?? []), { probe, attempt }]);
    }
  }
  return [...byPort.values()];
}

async function attemptOnce(probe: Probe, attempt: number): Promise<Outcome> {
  const { host, dns, family, timeoutMs, path } = probe;
  let address: string;
  try {
    address = await resolveHost(host, dns, family);
  } catch (error) {
    return { verdict: "none", error: (error as Error).message, cause: "unresolved" };
  }
  const target = {
    address,
    host,
    port: probe.port,
    sourcePort: probe.sourcePort,
    timeoutMs,
    path,
    token: `${probe.token}.${attempt}`,
  };
  const { protocol, size } = probe;
  const send = (): Promise<Outcome> => {
    if (protocol === "udp") return attemptUdp({ ...target, size });
    return size === undefined ? attemptTcp(target) : attemptEcho(target, size);
  };

  // Nothing was sent while the port was busy, so trying again is still the same attempt.
  const giveUp = performance.now() + portPatienceMs;
  let outcome = await send();
  while (isPortBusy(outcome) && performance.now() < giveUp) {
    await new Promise((resolve) => setTimeout(resolve, portRetryMs));
    outcome = await send();
  }
  for (let again = 0; leftTooLate(outcome) && again < lateRetries; again++) outcome = await send();
  return { ...outcome, ...explainSilence(outcome, address), ...(address !== host && { address }) };
}
