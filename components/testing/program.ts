import * as pulumi from "@pulumi/pulumi";

/** A resource as the engine would see it. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** Outputs that only a running deployment knows. */
const LAB_OUTPUT = JSON.stringify({
  kubeconfig: "apiVersion: v1",
  apiServer: { host: "172.31.1.8", port: 6443 },
  nodes: [{ name: "master", address: "172.31.1.8" }],
  clients: [
    { name: "client1", address: "172.31.1.55" },
    { name: "client2", address: "172.31.1.162" },
  ],
  lab: "local",
});
const VERIFICATION_OUTPUT = JSON.stringify({ verdict: "All hold.", passed: 4, failed: 0, rows: [] });

/** Stands in for the engine: remembers every resource, and in a deployment answers for the commands. */
export async function recordResources(preview = false): Promise<Registered[]> {
  const resources: Registered[] = [];
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ type, name, inputs }) => {
      resources.push({ type, name, inputs });
      const stdout = name.endsWith("-lab") ? LAB_OUTPUT : VERIFICATION_OUTPUT;
      const computed = type === "command:local:Command" && !preview ? { stdout, stderr: "" } : {};
      return { id: preview ? "" : name, state: { ...inputs, ...computed } };
    },
    call: ({ inputs }) => inputs,
  };
  await pulumi.runtime.setMocks(mocks, "ebpf-dataplane", "local", preview);
  return resources;
}

/** Resolves when everything that the program has started is registered. */
export async function settled(): Promise<void> {
  await pulumi.runtime.disconnect();
}

/** URNs of everything registered so far, sorted. */
export function urns(): string[] {
  const monitor = pulumi.runtime.getMonitor() as unknown as { getRegisteredResources(): Map<string, unknown> };
  return [...monitor.getRegisteredResources().keys()].sort();
}

/** The value of an output. */
export function resolved<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}
