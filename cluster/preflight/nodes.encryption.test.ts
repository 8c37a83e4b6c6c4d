import { expect, test } from "vitest";
import { preflightSchema } from "../../components/documents/preflight.ts";
import { examine } from "./examine.ts";
import { fitCluster, fitReport } from "./facts.fixture.ts";

/** Of nodes that cannot encrypt. */
function told(wireguard: string | undefined, encryption: string): string[] {
  const plan = preflightSchema.parse({ apiServer: { host: "172.31.1.8", port: 6443 }, encryption });
  const reports = new Map([["one", { ...fitReport, wireguard }]]);
  return examine(fitCluster({ reports }), plan).flatMap(({ severity, check, nodes, found }) =>
    check === "encryption" || severity !== "ok" ? [[severity, check, nodes.join(), found].join(" | ")] : [],
  );
}

test.each([
  ["Error: Unknown device type.", ["refused | encryption | one | no WireGuard: Error: Unknown device type."]],
  ["", ["ok | encryption | one | WireGuard"]],
  [undefined, []],
])("encryption asks each node for WireGuard (%s), and nobody else does", (wireguard, found) => {
  expect(told(wireguard, "WireGuard")).toEqual(found);
  expect(told(wireguard, "None")).toEqual([]);
});

test("pods' packets are smaller then", () => {
  const plan = preflightSchema.parse({ encryption: "WireGuard" });
  const found = examine(fitCluster({ reports: new Map([["one", { ...fitReport, mtu: 1500 }]]) }), plan);
  expect(found.find(({ check }) => check === "MTU")?.found).toBe(
    "1500 between nodes, 1390 for pods behind VXLAN and WireGuard",
  );
});
