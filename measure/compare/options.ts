import { type ComparedMode, comparedModes } from "../../report/results/compare.ts";

/** What is compared, and how thoroughly. */
export interface CompareOptions {
  /** Name of the local lab. */
  lab: string;
  /** NAMESPACE/NAME of a Service with a node port. Defaults to "default/nginx". */
  service: string;
  /** Node that clients connect to; the server should run on another one. Defaults to the first control plane. */
  entry?: string;
  /** Client whose connections are timed. Defaults to the lab's first client. */
  client?: string;
  modes: ComparedMode[];
  /** How often each mode is switched to and measured. */
  rounds: number;
  /** Connections timed per mode, over all rounds. */
  connections: number;
  /** Connections open at a time. */
  concurrency: number;
  /** Rounds in which the kernel counts the run time of BPF programs: it costs time, so these are not timed. */
  countingRounds: number;
  /** Seed for the order of modes and for the bootstrap. */
  seed: number;
  /** Leaves the server where the scheduler puts it, instead of on the client's processor. */
  spread: boolean;
}

/** The seed's figures come from 10,000 connections; more rounds of fewer connections resist drift better. */
export const defaults: CompareOptions = {
  lab: "local",
  service: "default/nginx",
  modes: [...comparedModes],
  rounds: 20,
  connections: 10_000,
  concurrency: 1,
  countingRounds: 3,
  seed: 1,
  spread: false,
};

/** Enough to check that everything works; its times mean little. */
export const quick: Partial<CompareOptions> = { rounds: 2, connections: 100, countingRounds: 1 };

/** The user asked for something that cannot be measured. */
export class WrongOptions extends Error {}

/** @throws WrongOptions in one sentence that names the option, its value and what is allowed */
export function requireOptions(options: CompareOptions): CompareOptions {
  const whole = (name: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most)
      throw new WrongOptions(`--${name} is ${value}, but must be a whole number from ${least} to ${most}`);
  };
  whole("rounds", options.rounds, 1, 1000);
  whole("connections", options.connections, options.rounds, 60_000);
  whole("concurrency", options.concurrency, 1, 256);
  whole("counting-rounds", options.countingRounds, 0, 100);
  whole("seed", options.seed, 0, 2 ** 32 - 1);
  for (const mode of options.modes)
    if (!comparedModes.includes(mode))
      throw new WrongOptions(`--modes has "${mode}", but must be some of ${comparedModes.join(", ")}`);
  if (options.modes.length === 0 || new Set(options.modes).size < options.modes.length)
    throw new WrongOptions(
      `--modes is "${options.modes.join(",")}", but must name at least one mode, each once: ${comparedModes.join(", ")}`,
    );
  if (!/^[a-z0-9-]+\/[a-z0-9-]+$/.test(options.service))
    throw new WrongOptions(`--service is "${options.service}", but must be NAMESPACE/NAME, like default/nginx`);
  return options;
}
