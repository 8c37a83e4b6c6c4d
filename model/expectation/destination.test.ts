import { describe, expect, it } from "vitest";
import { parseDestination } from "./destination.ts";
import { parsePlace, parseServer, parseSource } from "./place.ts";

describe("parseDestination", () => {
  it.each([
    ["tcp://172.31.1.8:30604", { kind: "address", address: "172.31.1.8" }, 30604],
    ["udp://[fd00::8]:53", { kind: "address", address: "fd00::8" }, 53],
    ["tcp://node/master:80", { kind: "node", name: "master" }, 80],
    ["tcp://pod/default/web-0:80", { kind: "pod", namespace: "default", name: "web-0" }, 80],
    [
      "tcp://pod/default/app.kubernetes.io/name=web:80",
      { kind: "pod", namespace: "default", labels: { "app.kubernetes.io/name": "web" } },
      80,
    ],
    ["tcp://service/default/nginx:80", { kind: "service", namespace: "default", name: "nginx" }, 80],
    ["tcp://nginx.default.svc.cluster.local:80", { kind: "name", name: "nginx.default.svc.cluster.local" }, 80],
  ])("reads %s", (text, host, port) => {
    expect(parseDestination(text)).toEqual({ protocol: text.slice(0, 3), host, port });
  });

  it("reads icmp:// without a port, and sctp://", () => {
    expect(parseDestination("icmp://node/master")).toEqual({
      protocol: "icmp",
      host: { kind: "node", name: "master" },
      port: 0,
    });
    for (const text of ["icmp://fd00::8", "icmp://[fd00::8]"])
      expect(parseDestination(text).host).toEqual({ kind: "address", address: "fd00::8" });
    expect(parseDestination("sctp://10.0.0.1:36412")).toMatchObject({ protocol: "sctp", port: 36412 });
  });

  it.each([
    ["icmp://10.0.0.1:80", "ends with a port, which ICMP does not have"],
    ["icmp://", "is not a name"],
    ["sctp://a", "does not end with a port"],
    ["172.31.1.8:80", "does not start with a protocol"],
    ["http://a:80", "does not start with a protocol"],
    ["tcp://a", "does not end with a port"],
    ["tcp://a:0", "does not end with a port"],
    ["tcp://fd00::8:80", "goes in brackets"],
    ["tcp://[1.2.3.4]:80", "is not an IPv6 address"],
    ["tcp://1.2.3:80", "is not an IPv4 address"],
    ["tcp://service/nginx:80", "is not a host"],
    ["tcp://pod/nginx:80", "names no namespace"],
    ["tcp://node/A_b:80", "is not a name"],
  ])("refuses %s", (text, message) => expect(() => parseDestination(text)).toThrow(message));
});

describe("places", () => {
  it("are machines, nodes and pods by name or labels", () => {
    expect(parsePlace("client1")).toEqual({ kind: "machine", name: "client1" });
    expect(parsePlace("node/a.b")).toEqual({ kind: "node", name: "a.b" });
    expect(parsePlace("pod/ns/app=web,tier=x")).toEqual({
      kind: "pod",
      namespace: "ns",
      labels: { app: "web", tier: "x" },
    });
    expect(parseServer("ns/web-0")).toEqual({ namespace: "ns", name: "web-0" });
    expect(parseServer("pod/ns/app=web")).toEqual({ namespace: "ns", labels: { app: "web" } });
    expect(parseSource("fd00::1")).toEqual({ kind: "address", address: "fd00::1" });
  });
  it.each(["10.0.0.1", "nod/x", "pod/ns/a=b=c", "Client1", ""])("are not %s", (text) =>
    expect(() => parsePlace(text)).toThrow(),
  );
});
