import { expect, test } from "vitest";
import {
  LocationFlag,
  type Service,
  ServiceFlag,
  ServiceHandling,
  type Settings,
  SocketTranslation,
} from "../kernel/layout.gen.ts";
import { hasOutlived, type ServiceMaps } from "./outlived-sockets.ts";

const dns: Service = {
  backendList: 7,
  backendCount: 2,
  localCount: 0,
  clusterFirst: 0,
  affinitySeconds: 0,
  flags: 0,
  sourceRanges: 0,
  tableSize: 0,
};
const empty = { ...dns, backendList: 8, backendCount: 0 };
const guarded = { ...dns, sourceRanges: 5 };
const localOnly = { ...dns, flags: ServiceFlag.EXTERNAL_LOCAL };
const hostPort = { ...dns, backendList: 9, backendCount: 1, flags: ServiceFlag.HOST_PORT };
const services: Record<string, Service> = {
  "10.96.0.10:53": dns,
  "198.51.100.7:53": guarded,
  "2001:db8::7:53": guarded,
  "::4:30053": dns,
  "::4:30054": localOnly,
  "10.96.0.11:53": empty,
  "172.31.1.207:8053": hostPort,
  "::1:4:8053": hostPort,
};

const ADMITTED = ["10.244.0.9", "fd00:10:244::9"];
const MEMBERS = ["11 of 7", "12 of 7", "11 of 9"];

const mapsWhile = (serviceHandling: number, socketTranslation: number = SocketTranslation.ALL): ServiceMaps => ({
  frontends: {
    lookup: ({ address, port, protocol }) => (protocol === 17 ? services[`${address}:${port}`] : undefined),
  },
  members: { lookup: ({ backendList, backend }) => (MEMBERS.includes(`${backend} of ${backendList}`) ? 1 : undefined) },
  sourceRanges: { lookup: ({ set, client }) => (set === 5 && ADMITTED.includes(client) ? 1 : undefined) },
  locations: {
    lookup: ({ address }) => {
      const without = address === "172.31.1.9" ? LocationFlag.WITHOUT_NODE_PORTS : 0;
      return /^(127|172)\./.test(address)
        ? { identity: 0, flags: LocationFlag.REMOTE_HOST | without, node: "::" }
        : undefined;
    },
  },
  settings: { lookup: () => ({ serviceHandling, socketTranslation }) as Settings },
  datagramPeers: { lookup: () => undefined },
});

const pod = (...addresses: string[]) => ({ addresses, isWorkload: true });
const to = (address: string, port: number) => ({ address, port });
const given = (frontend: string, frontendPort: number, backend: number) => ({
  frontend,
  frontendPort,
  address: "10.244.0.5",
  port: 5353,
  backend,
});

test.each([
  ["a backend that the service has", to("10.244.0.5", 5353), given("10.96.0.10", 53, 12), false],
  ["a backend that the service no longer has", to("10.244.0.5", 5353), given("10.96.0.10", 53, 13), true],
  ["a backend of a removed service", to("10.244.0.5", 5353), given("10.96.0.12", 53, 12), true],
  ["a backend from a node port of another node", to("10.244.0.5", 5353), given("172.31.1.8", 30053, 11), false],
  ["a backend from a node port at loopback", to("10.244.0.5", 5353), given("0.0.0.0", 30053, 11), false],
  ["an address at which node ports no longer answer", to("10.244.0.5", 5353), given("172.31.1.9", 30053, 11), true],
  ["an address that became a service, whose packets are translated", to("10.96.0.10", 53), undefined, false],
  ["the same, after it was connected to another service", to("10.96.0.10", 53), given("10.96.0.10", 53, 12), false],
  ["a node port that was created later", to("172.31.1.8", 30053), undefined, false],
  ["the same port at another address", to("192.0.2.1", 30053), undefined, false],
  ["a pod's own address", to("10.244.0.5", 5353), undefined, false],
  ["a pod through its host port", to("10.244.0.5", 5353), given("172.31.1.207", 8053, 11), false],
  ["a pod through its host port at loopback", to("10.244.0.5", 5353), given("127.0.1.1", 8053, 11), false],
  ["a pod that no longer has the host port", to("10.244.0.5", 5353), given("0.0.0.0", 8053, 12), true],
  ["a load balancer that does not admit it", to("10.244.0.5", 5353), given("198.51.100.7", 53, 12), true],
  ["a load balancer that admits it", to("10.244.0.5", 5353), given("198.51.100.7", 53, 12), false, "10.244.0.9"],
  [
    "a load balancer that admits its other address",
    to("10.244.0.5", 5353),
    given("2001:db8::7", 53, 12),
    true,
    "10.244.0.9",
  ],
])("a socket that is connected to %s", (_, socket, peer, outlived, client = "10.244.0.1") => {
  expect(hasOutlived(socket, peer, mapsWhile(ServiceHandling.TRANSLATED), pod(client))).toBe(outlived);
});

const node = { addresses: ["172.31.1.207"], isWorkload: false };

// No program sees what a node's process sends to the address of a service: its socket has to be given a backend.
test.each([
  ["an address that became a service", to("10.96.0.10", 53), undefined, true],
  ["the same, after it was connected to another service", to("10.96.0.10", 53), given("10.96.0.10", 53, 12), true],
  ["a node port that was created later", to("172.31.1.8", 30053), undefined, true],
  ["a node port that is for its node to answer", to("172.31.1.8", 30054), undefined, false],
  ["a service without backends", to("10.96.0.11", 53), undefined, false],
])("a node's own socket that is connected to %s", (_, socket, peer, outlived) => {
  for (const sockets of [SocketTranslation.ALL, SocketTranslation.HOST_ONLY])
    expect(hasOutlived(socket, peer, mapsWhile(ServiceHandling.TRANSLATED, sockets), node)).toBe(outlived);
});

test.each([
  ["an address that is a service", to("10.96.0.10", 53), undefined, false],
  ["a backend that the service no longer has", to("10.244.0.5", 5353), given("10.96.0.10", 53, 13), false],
  ["a host port that was created later", to("172.31.1.207", 8053), undefined, false],
  ["a pod that no longer has the host port", to("10.244.0.5", 5353), given("127.0.0.1", 8053, 12), true],
  ["a pod whose host port was removed", to("10.244.0.5", 5353), given("127.0.0.1", 8054, 12), true],
])("while kube-proxy handles services, one that is connected to %s", (_, socket, peer, outlived) => {
  expect(hasOutlived(socket, peer, mapsWhile(ServiceHandling.LEFT_TO_HOST), pod("10.244.0.1"))).toBe(outlived);
});

test.each(["127.0.0.1", "127.8.9.10", "0.0.0.0"])(
  "a pod's own loopback %s is no node port, whatever the number: only a node's is",
  (address) => {
    const outlived = (isWorkload: boolean) =>
      hasOutlived(to(address, 30053), undefined, mapsWhile(ServiceHandling.TRANSLATED), { addresses: [], isWorkload });
    expect(outlived(true)).toBe(false);
    expect(outlived(false)).toBe(true);
  },
);

test("a load balancer is asked about the client's address of its own family", () => {
  const maps = mapsWhile(ServiceHandling.TRANSLATED);
  const bound = given("2001:db8::7", 53, 12);
  expect(hasOutlived(to("10.244.0.5", 5353), bound, maps, pod("10.244.0.1", "fd00:10:244::9"))).toBe(false);
  expect(hasOutlived(to("10.244.0.5", 5353), bound, maps, pod("10.244.0.9", "fd00:10:244::1"))).toBe(true);
});

test.each([SocketTranslation.ALL, SocketTranslation.HOST_ONLY])(
  "a pod's sockets that were given a backend end without it, whichever sockets are given one now (%s)",
  (sockets) => {
    const maps = mapsWhile(ServiceHandling.TRANSLATED, sockets);
    expect(hasOutlived(to("10.244.0.5", 5353), given("10.96.0.10", 53, 13), maps, pod("10.244.0.1"))).toBe(true);
    expect(hasOutlived(to("10.96.0.10", 53), undefined, maps, pod("10.244.0.1"))).toBe(false);
  },
);
