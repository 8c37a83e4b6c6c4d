import { expect, test } from "vitest";
import { preflightSchema } from "../../components/documents/preflight.ts";
import { fitCluster } from "./facts.fixture.ts";
import { examineNamespace } from "./namespace.ts";

test("a namespace that only looks like the agents' is told", () => {
  const namespace = { metadata: { name: "net", labels: { "k8s-app": "ebpf-dataplane" } } };
  const apiServer = { host: "172.31.1.8", port: 6443 };
  const plan = preflightSchema.parse({ apiServer, namespace: "net", createNamespace: true });
  expect(examineNamespace(fitCluster({ namespace, isDeployed: true }), plan)).toEqual([]);
  expect(examineNamespace(fitCluster({ namespace }), plan)).toMatchObject([
    { severity: "warning", found: expect.stringMatching(/^net exists with the label of agents, although/) },
  ]);
});
