import { Histogram, type Registry } from "prom-client";

export interface CniMetrics {
  /** A call of the container runtime took `seconds`. */
  cniCalled(command: string, result: "done" | "failed", seconds: number): void;
  /** A step of an ADD took `seconds`. */
  addTook(step: string, seconds: number): void;
}

/** Buckets in seconds: a pod's start takes tens of ms. */
const SECONDS = [0.001, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 2, 10];

export function cniMetrics(prefix: string, registers: Registry[]): CniMetrics {
  const calls = new Histogram({
    name: `${prefix}cni_seconds`,
    help: "Duration of the container runtime's calls.",
    labelNames: ["command", "result"],
    buckets: SECONDS,
    registers,
  });
  const steps = new Histogram({
    name: `${prefix}cni_add_step_seconds`,
    help: "What pods' starts waited for: pools (the pod's object), address, interface, policy (written to the kernel with the pod's location), open.",
    labelNames: ["step"],
    buckets: SECONDS,
    registers,
  });
  return {
    cniCalled: (command, result, seconds) => calls.observe({ command, result }, seconds),
    addTook: (step, seconds) => steps.observe({ step }, seconds),
  };
}
