import { expect, test } from "vitest";
import { node } from "../../model/objects/core.ts";
import { nodeAddresses } from "./node-address.ts";

const nodeWith = (...addresses: string[]) =>
  node.parse({
    metadata: { name: "master" },
    status: { addresses: addresses.map((address) => ({ type: "InternalIP", address })) },
  });

test.each([
  ["one family", ["172.31.1.8"], { underlay: "172.31.1.8", ipv6: undefined }],
  ["IPv6 first", ["FD00:172:31:1::0008", "172.31.1.8"], { underlay: "172.31.1.8", ipv6: "fd00:172:31:1::8" }],
  ["IPv6 alone", ["fd00::8", "fd01::8"], { underlay: "fd00::8", ipv6: "fd00::8" }],
  ["several", ["172.31.1.8", "10.0.0.8", "fd00::8", "fd01::8"], { underlay: "172.31.1.8", ipv6: "fd00::8" }],
])("a node's first InternalIP of each family: %s", (_, addresses, expected) => {
  expect(nodeAddresses([nodeWith(...addresses)], "master", undefined)).toEqual(expected);
});

test("a configured address takes precedence; a node without address is refused with the next step", () => {
  expect(nodeAddresses([nodeWith("172.31.1.8", "fd00::8")], "master", "10.0.0.8")).toEqual({
    underlay: "10.0.0.8",
    ipv6: "fd00::8",
  });
  expect(nodeAddresses([], "master", "10.0.0.8")).toEqual({ underlay: "10.0.0.8", ipv6: undefined });
  expect(nodeAddresses([nodeWith("172.31.1.8")], "master", "fd00::8")).toEqual({
    underlay: "fd00::8",
    ipv6: "fd00::8",
  });
  expect(() => nodeAddresses([nodeWith()], "master", undefined)).toThrow("Node master has no InternalIP");
  expect(() => nodeAddresses([], "master", undefined)).toThrow("There is no Node object master");
});
