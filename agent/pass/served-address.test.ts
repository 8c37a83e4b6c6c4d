import { expect, test } from "vitest";
import { LocationFlag, type Service, ServiceFlag, ServiceHandling, type Settings } from "../kernel/layout.gen.ts";
import { plainService } from "../kernel/plain-service.fixture.ts";
import { isServedHere, type ServiceMaps } from "./served-address.ts";

const dns = plainService({ backendList: 7, backendCount: 2 });
const services: Record<string, Service> = {
  "10.96.0.10:53": dns,
  "::4:30053": dns,
  "::4:30054": { ...dns, flags: ServiceFlag.EXTERNAL_LOCAL },
  "10.96.0.11:53": { ...dns, backendCount: 0 },
  "172.31.1.207:8053": { ...dns, flags: ServiceFlag.HOST_PORT },
  "::1:4:8053": { ...dns, flags: ServiceFlag.HOST_PORT },
};

const mapsWhile = (serviceHandling: number): ServiceMaps => ({
  frontends: {
    lookup: ({ address, port, protocol }) => (protocol === 17 ? services[`${address}:${port}`] : undefined),
  },
  locations: {
    lookup: ({ address }) => {
      const without = address === "172.31.1.9" ? LocationFlag.WITHOUT_NODE_PORTS : 0;
      return /^(127|172)\./.test(address)
        ? { identity: 0, flags: LocationFlag.REMOTE_HOST | without, node: "::" }
        : undefined;
    },
  },
  settings: { lookup: () => ({ serviceHandling }) as Settings },
});

// No program sees what a node's process sends to the address of a service: its socket has to be given a backend.
test.each([
  ["a service", "10.96.0.10", 53, true],
  ["a service without backends", "10.96.0.11", 53, false],
  ["no service", "10.96.0.12", 53, false],
  ["a node port", "172.31.1.8", 30053, true],
  ["the same port at an address without node ports", "172.31.1.9", 30053, false],
  ["the same port at another address", "192.0.2.1", 30053, false],
  ["a node port that is for its node to answer", "172.31.1.8", 30054, false],
  ["a host port", "172.31.1.207", 8053, true],
  ["a host port at loopback", "127.0.1.1", 8053, true],
  ["a node port at loopback", "127.8.9.10", 30053, true],
  ["a node port at 0.0.0.0, which is loopback", "0.0.0.0", 30053, true],
])("%s", (_, address, port, served) => {
  expect(isServedHere(address, port, mapsWhile(ServiceHandling.TRANSLATED))).toBe(served);
});

test.each([
  ["a service", "10.96.0.10", 53, false],
  ["a host port", "172.31.1.207", 8053, true],
])("while kube-proxy handles services: %s", (_, address, port, served) => {
  expect(isServedHere(address, port, mapsWhile(ServiceHandling.LEFT_TO_HOST))).toBe(served);
});
