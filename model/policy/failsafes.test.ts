import { expect, test } from "vitest";
import { felixConfiguration } from "../objects/calico.ts";
import { failsafesOf } from "./failsafes.ts";

const texts = (spec: object | undefined, apiServer?: { address: string; port: number }) =>
  failsafesOf(spec && felixConfiguration.parse({ metadata: { name: "default" }, spec }), { apiServer }).map(
    ({ direction, protocol, port, net }) => `${direction} ${protocol} ${port}${net ? ` ${net.text}` : ""}`,
  );

test("without a list the ports are open by which a node is administered and needs the cluster", () => {
  const all = texts(undefined);
  for (const port of [
    "ingress 6 22",
    "ingress 6 10250",
    "ingress 6 6443",
    "egress 17 53",
    "egress 6 2379",
    "egress 17 67",
  ])
    expect(all).toContain(port);
  expect(all).not.toContain("ingress 17 53");
  expect(all).not.toContain("egress 6 22");
});

test("a list replaces those of its direction, with blocks of peers; an empty one leaves none", () => {
  const failsafeInboundHostPorts = [{ protocol: "tcp", port: 2222, net: "10.0.0.0/8" }];
  const all = texts({ failsafeInboundHostPorts, failsafeOutboundHostPorts: [] });
  expect(all).toEqual(["ingress 6 2222 10.0.0.0/8"]);
});

test("the API server is reached in any case: without it no node would learn that its policy was mended", () => {
  expect(
    texts({ failsafeOutboundHostPorts: [], failsafeInboundHostPorts: [] }, { address: "172.31.1.8", port: 443 }),
  ).toEqual(["egress 6 443 172.31.1.8/32"]);
});

test("a protocol without ports, or a port that is none, is refused with its path", () => {
  const wrong = (entry: object) =>
    felixConfiguration.safeParse({ metadata: { name: "default" }, spec: { failsafeInboundHostPorts: [entry] } }).error
      ?.issues[0]?.path;
  expect(wrong({ protocol: "icmp", port: 1 })).toEqual(["spec", "failsafeInboundHostPorts", 0, "protocol"]);
  expect(wrong({ protocol: "TCP", port: 70000 })).toEqual(["spec", "failsafeInboundHostPorts", 0, "port"]);
  expect(wrong({ protocol: "TCP", port: 22, nets: [] })).toEqual(["spec", "failsafeInboundHostPorts", 0]);
});
