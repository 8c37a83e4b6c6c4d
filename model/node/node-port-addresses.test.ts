import { expect, test } from "vitest";
import { felixConfiguration } from "../objects/calico.ts";
import { nodePortAddresses } from "./node-port-addresses.ts";

const written = (text: string, handling = "Ebpf") =>
  nodePortAddresses(
    felixConfiguration.parse({
      metadata: {
        name: "default",
        annotations: {
          "ebpf-dataplane.io/node-port-addresses": text,
          "ebpf-dataplane.io/service-handling": handling,
        },
      },
    }),
  );

const PRIMARY = "172.31.1.8";
const SECOND = "192.0.2.8";
const served = (text: string, handling?: string) =>
  [PRIMARY, SECOND, "127.0.0.1", "::1", "2001:db8::8"].filter((address) =>
    written(text, handling).serves(address, address === PRIMARY),
  );

test.each<[string, string[]]>([
  ["", [PRIMARY, SECOND, "127.0.0.1", "::1", "2001:db8::8"]],
  [" , ", [PRIMARY, SECOND, "127.0.0.1", "::1", "2001:db8::8"]],
  ["primary", [PRIMARY]],
  ["192.0.2.0/24, 127.0.0.0/8", [SECOND, "127.0.0.1"]],
  ["0.0.0.0/0", [PRIMARY, SECOND, "127.0.0.1"]],
  ["::/0", ["::1", "2001:db8::8"]],
  ["198.51.100.0/24", []],
])("%j: node ports answer at %j", (text, addresses) => {
  expect(served(text)).toEqual(addresses);
  expect(written(text).problems).toEqual([]);
});

test.each([
  ["primary,10.0.0.0/8", '"primary" stands beside networks'],
  ["10.0.0.0/8,172.31.1.8", '"172.31.1.8" is no CIDR'],
  ["Primary", '"Primary" is no CIDR'],
])("%j cannot be read, and opens nothing", (text, message) => {
  expect(served(text)).toEqual([PRIMARY]);
  expect(written(text).problems).toEqual([
    expect.objectContaining({ kind: "FelixConfiguration", message: expect.stringContaining(message) }),
  ]);
});

test("kube-proxy's node ports are its own", () => {
  expect(served("primary", "KubeProxyNftables")).toHaveLength(5);
});
