// What a change of the agents' settings replaces with the Pulumi CLI.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { settled } from "../testing/program.ts";
import { Dataplane } from "./component.ts";

/** The engine plans the replacement of a resource with outputs that it does not know, and replaces what depends on them too. */
test("a replaced ConfigMap replaces no DaemonSet, which is only updated, node by node", async () => {
  const daemonSets: Record<string, unknown>[] = [];
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ type, inputs, name }) => {
      if (type.endsWith(":DaemonSet")) daemonSets.push(inputs);
      const isReplaced = type.endsWith(":ConfigMap");
      return { id: name, state: isReplaced ? { ...inputs, metadata: { name: "not known" } } : inputs };
    },
    call: ({ inputs }) => inputs,
  };
  await pulumi.runtime.setMocks(mocks, "ebpf-dataplane", "local", false);
  new Dataplane("dp", { apiServer: { host: "172.31.1.8", port: 6443 }, mtu: 1400 });
  await settled();
  expect(daemonSets).toHaveLength(1);
  const text = JSON.stringify(daemonSets);
  expect(text).toContain('"configMap":{"name":"ebpf-dataplane"}');
  expect(text).not.toContain("not known");
});
