// What is declared later is destroyed earlier.
import { expect, test } from "vitest";
import { recordResources, settled } from "../testing/program.ts";
import { Dataplane } from "./component.ts";

test("Dataplane declares the agents' rights after the pools, so that a destroy takes them before it deletes pools", async () => {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer: { host: "172.31.1.8", port: 6443 }, namespace: "network", createNamespace: true });
  await settled();
  const names = resources.map(({ name }) => name);
  const place = (name: string) => names.indexOf(name);
  const made = place("dp-default-ipv4-ippool-ippool");
  expect(made).toBeGreaterThan(-1);
  for (const name of ["dp-clusterrole", "dp-clusterrolebinding", "dp-pools-validatingadmissionpolicybinding"])
    expect(place(name), name).toBeGreaterThan(made);
  const policy = resources.find(({ name }) => name === "dp-pools-validatingadmissionpolicy");
  // The right that the policy asks for is of whom the role is given to.
  expect(JSON.stringify(policy?.inputs.spec)).toContain("authorizer.serviceAccount('network', 'ebpf-dataplane')");
  const binding = resources.find(({ name }) => name === "dp-clusterrolebinding");
  expect(binding?.inputs.subjects).toEqual([{ kind: "ServiceAccount", name: "ebpf-dataplane", namespace: "network" }]);
});
