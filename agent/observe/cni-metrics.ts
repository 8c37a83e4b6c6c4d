import { Histogram, type Registry } from "prom-client";

export interface CniMetrics {
  /** A call of the container runtime took `seconds`. */
  cniCalled(command: string, result: "done" | "failed", seconds: number): void;
  /** A step of an ADD took `seconds`. */
  addTook(step: string, seconds: number): void;
}

export function cniMetrics(prefix: string, buckets: number[], registers: Registry[]): CniMetrics {
  const calls = new Histogram({
    name: `${prefix}cni_seconds`,
    help: "Duration of the container runtime's calls.",
    labelNames: ["command", "result"],
    buckets,
    registers,
  });
  const steps = new Histogram({
    name: `${prefix}cni_add_step_seconds`,
    help: "What pods' starts waited for: pools (the pod's object), address, interface, policy (written to the kernel with the pod's location), open.",
    labelNames: ["step"],
    buckets,
    registers,
  });
  return {
    cniCalled: (command, result, seconds) => calls.observe({ command, result }, seconds),
    addTook: (step, seconds) => steps.observe({ step }, seconds),
  };
}
