import { expect, test } from "vitest";
import { nodeDirectory } from "../node/nodes.ts";
import { endpointSlice } from "../objects/discovery.ts";
import { backendsOf } from "./backends.ts";

test("backendsOf() looks at the endpoints of many slices in parts, as Kubernetes makes them: a hundred in each", () => {
  const slices = Array.from({ length: 40 }, (_, part) =>
    endpointSlice.parse({
      metadata: { name: `web-${part}`, namespace: "shop" },
      addressType: "IPv4",
      ports: [{ port: 80 }],
      endpoints: Array.from({ length: 100 }, (_, at) => ({ addresses: [`10.0.${part}.${at}`] })),
    }),
  );
  const nodes = nodeDirectory([], { nodeName: "one", address: "172.31.1.1", subnets: [], localAddresses: [] } as never);
  let looked = 0;
  const parts: number[] = [];
  const steps = backendsOf({ port: 80 } as never, "IPv4", slices, false, nodes, {
    nodeOf: () => {
      looked++;
      return undefined;
    },
    weights: new Map(),
  });
  for (let done: boolean | undefined = false; !done; looked = 0) {
    ({ done } = steps.next());
    parts.push(looked);
  }
  expect(parts.reduce((sum, count) => sum + count)).toBe(4_000);
  expect(Math.max(...parts)).toBeLessThan(300);
});
