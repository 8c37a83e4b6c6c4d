import { describe, expect, test } from "vitest";
import { nodeDirectory } from "../node/nodes.ts";
import { hostEndpoint } from "../objects/calico-policy/host-endpoint.ts";
import { kubeControllersConfiguration } from "../objects/calico-policy/kube-controllers.ts";
import { node } from "../objects/core.ts";
import { hostsOf, labelledAddresses, ownHosts } from "./hosts.ts";

const machine = (name: string, address: string, labels: Record<string, string> = {}) =>
  node.parse({ metadata: { name, labels }, status: { addresses: [{ type: "InternalIP", address }] } });
const nodes = [machine("one", "172.31.1.8", { role: "db" }), machine("two", "172.31.1.9", { role: "web" })];
const directory = nodeDirectory(nodes, {
  ...{ nodeName: "one", address: "172.31.1.8", subnets: [], localAddresses: [], serviceSubnet: "10.96.0.0/12" },
});
const written = (name: string, spec: object, labels = {}) => hostEndpoint.parse({ metadata: { name, labels }, spec });
const automatic = (hostEndpoint: object) =>
  kubeControllersConfiguration.parse({
    metadata: { name: "default" },
    spec: { controllers: { node: { hostEndpoint } } },
  });
const eth0 = { name: "eth0", ifindex: 2, addresses: ["172.31.1.8"] };
const eth1 = { name: "eth1", ifindex: 3, addresses: ["10.9.0.1"] };

function standsFor(hostEndpoints: ReturnType<typeof written>[], configuration?: ReturnType<typeof automatic>) {
  const kubeControllersConfigurations = configuration ? [configuration] : [];
  const own = ownHosts(hostsOf({ hostEndpoints, kubeControllersConfigurations, nodes }), "one", [eth0, eth1]);
  return {
    ...Object.fromEntries([...own.byInterface].map(([{ name }, host]) => [name, host.name])),
    ...(own.others && { "*": own.others.name }),
    problems: own.problems.map(({ name, path }) => `${name} ${path}`),
  };
}

describe("which HostEndpoint stands for an interface", () => {
  test("the one that names it, or that expects one of its addresses, and * for the others", () => {
    const all = [
      written("any", { node: "one", interfaceName: "*" }),
      written("by-name", { node: "one", interfaceName: "eth0" }),
      written("by-address", { node: "one", expectedIPs: ["10.9.0.1"] }),
      written("other-node", { node: "two", interfaceName: "eth0" }),
    ];
    expect(standsFor(all)).toEqual({ eth0: "by-name", eth1: "by-address", "*": "any", problems: [] });
  });

  test("of two for one interface the name decides, and the other is reported", () => {
    const two = ["b", "a"].map((name) => written(name, { node: "one", interfaceName: "eth0" }));
    expect(standsFor(two)).toEqual({ eth0: "a", problems: ["b spec.interfaceName"] });
  });

  test("an interface that is no uplink, or an address that the node lacks, is reported", () => {
    const none = [
      written("no-such", { node: "one", interfaceName: "eth7" }),
      written("moved", { node: "one", expectedIPs: ["10.9.0.77"] }),
    ];
    expect(standsFor(none)).toEqual({ problems: ["moved spec.expectedIPs", "no-such spec.interfaceName"] });
  });
});

describe("automatic host endpoints", () => {
  test("each node has one for all its interfaces, open, with the node's labels; a written one goes before it", () => {
    const hosts = hostsOf({ nodes, kubeControllersConfigurations: [automatic({ autoCreate: "Enabled" })] });
    expect(hosts.map(({ name, otherwise, labels }) => [name, otherwise, labels.role])).toEqual([
      ["one-auto-hep", "allow", "db"],
      ["two-auto-hep", "allow", "web"],
    ]);
    expect(standsFor([], automatic({ autoCreate: "Enabled" }))).toEqual({ "*": "one-auto-hep", problems: [] });
    const any = written("any", { node: "one", interfaceName: "*" });
    expect(standsFor([any], automatic({ autoCreate: "Enabled" }))).toMatchObject({ "*": "any" });
  });

  test("there are none unless they are asked for", () => {
    expect(hostsOf({ nodes, kubeControllersConfigurations: [automatic({})] })).toEqual([]);
    const disabled = automatic({ autoCreate: "Enabled", createDefaultHostEndpoint: "Disabled" });
    expect(hostsOf({ nodes, kubeControllersConfigurations: [disabled] })).toEqual([]);
  });

  test("templates make one for the interfaces of their pattern or blocks, on the nodes that they select", () => {
    const templates = [
      {
        generateName: "inside",
        interfaceCIDRs: ["172.31.1.8/32"],
        nodeSelector: "role == 'db'",
        labels: { zone: "in" },
      },
      { generateName: "second", interfacePattern: "eth[1-9]", nodeSelector: "has(role)" },
    ];
    const configuration = automatic({ autoCreate: "Enabled", createDefaultHostEndpoint: "Disabled", templates });
    expect(standsFor([], configuration)).toEqual({
      ...{ eth0: "one-inside-auto-hep", eth1: "one-second-auto-hep", problems: [] },
    });
    const hosts = hostsOf({ nodes, kubeControllersConfigurations: [configuration] });
    expect(hosts.map(({ name, labels }) => `${name} ${labels.zone}`)).toEqual([
      ...["one-inside-auto-hep in", "one-second-auto-hep undefined", "two-second-auto-hep undefined"],
    ]);
  });
});

describe("addresses with a host endpoint's labels and ports", () => {
  test("are those that it expects: of its own node and of machines outside, not of other nodes, nor what no host can have", () => {
    const expectedIPs = ["172.31.1.9", "172.31.1.8", "192.0.2.7", "127.0.0.1"];
    const ports = [{ name: "http", protocol: "TCP", port: 8080 }];
    const claims = written("claims", { node: "two", expectedIPs, ports }, { app: "x" });
    const found = labelledAddresses(hostsOf({ hostEndpoints: [claims], nodes }), directory);
    const peer = { who: { kind: "hostEndpoint", labels: { app: "x" } }, ports: new Map([["host http/6", 8080]]) };
    expect([...found]).toEqual([
      ["172.31.1.9", [peer]],
      ["192.0.2.7", [peer]],
    ]);
  });

  test("automatic ones have their node's; an address of several host endpoints is found by the labels of each", () => {
    const own = written("own", { node: "one", expectedIPs: ["172.31.1.8"] }, { app: "x" });
    const kubeControllersConfigurations = [automatic({ autoCreate: "Enabled" })];
    const found = labelledAddresses(hostsOf({ hostEndpoints: [own], kubeControllersConfigurations, nodes }), directory);
    const words = [...found].map(([address, whose]) => [
      address,
      whose.map(({ who: { labels } }) => labels.app ?? labels.role),
    ]);
    expect(words).toEqual([
      ["172.31.1.8", ["x", "db"]],
      ["172.31.1.9", ["web"]],
    ]);
  });
});
