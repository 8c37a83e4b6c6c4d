import { expect, test } from "vitest";
import { egressGateway } from "../../model/objects/egress-gateway.ts";
import { EgressHow } from "../kernel/layout.gen.ts";
import { entriesOf } from "./desired.ts";
import { EgressCompiler } from "./egress.ts";

/** The ways of a gateway at the node 172.31.1.2: the written prefix and what is said of it. */
function waysOf(destinations: string[]): string[] {
  const { spec } = egressGateway.parse({
    metadata: { name: "a" },
    spec: { podSelector: "all()", nodeSelector: "all()", destinations },
  });
  const way = { how: "node", node: "172.31.1.2" } as const;
  const ways = spec.destinations.map((destination) => ({ destination, way }));
  const group = { owner: "EgressGateway a", ways, members: ["10.244.0.2"] };
  const { egressWays } = new EgressCompiler().of({ groups: [group], gateways: [], problems: [] });
  const names = new Map<number, string>(Object.entries(EgressHow).map(([name, value]) => [value, name]));
  return entriesOf(egressWays).map(
    ({ key, value }) => `${key.destination}/${key.prefixLength - 32} ${names.get(value.how)}`,
  );
}

test("EgressCompiler writes destinations of IPv6 so that they say nothing of IPv4, which is within ::/0 in the map", () => {
  expect(waysOf(["::/0"])).toEqual(["0.0.0.0/96 PLAIN", "::/0 NODE"]);
  expect(waysOf(["::/0", "203.0.113.0/24"])).toEqual(["0.0.0.0/96 PLAIN", "::/0 NODE", "203.0.113.0/120 NODE"]);
  expect(waysOf(["0.0.0.0/0", "::/0"])).toEqual(["0.0.0.0/96 NODE", "::/0 NODE"]);
  expect(waysOf(["2000::/3", "203.0.113.0/24"])).toEqual(["2000::/3 NODE", "203.0.113.0/120 NODE"]);
});
