import { expect, test } from "vitest";
import { schemas } from "../../../model/objects/schemas.ts";
import { nodeHosts } from "./judged-node.ts";

const pool = (name: string, vxlanMode: string) =>
  schemas.ipPools.parse({ metadata: { name }, spec: { cidr: "10.244.0.0/16", vxlanMode } });
const felix = (spec: object) => schemas.felixConfigurations.parse({ metadata: { name: "default" }, spec });
const node = { directory: {}, facts: {} } as never;

test.each([
  ["never", {}, ["Never"]],
  ["sometimes", {}, ["CrossSubnet"]],
  ["sometimes", {}, ["Never", "Always"]],
  ["always", {}, ["Always"]],
  ["always", { wireguardEnabled: true }, ["Never"]],
  ["always", { wireguardEnabled: true }, ["Never", "CrossSubnet"]],
] as const)("pods' packets travel wrapped %s with %j and pools of %j", (wraps, spec, modes) => {
  const pools = modes.map((mode, index) => pool(`p${index}`, mode));
  expect(nodeHosts(node, [felix(spec)], pools).wraps).toBe(wraps);
});
