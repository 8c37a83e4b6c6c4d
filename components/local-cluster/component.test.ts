import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { AddressFamily } from "../machine/address-family.ts";
import { type LocalSubnet, type Machine, MachineRole } from "../machine/machine.ts";
import { recordResources, resolved, settled } from "../testing/program.ts";
import type { LocalClusterArgs } from "./args.ts";
import { LocalCluster } from "./component.ts";

test("LocalCluster asks for the walk-through's machines by default", async () => {
  const resources = await recordResources();
  new LocalCluster("cluster");
  await settled();
  const { inputs } = resources.find(({ type }) => type === "command:local:Command") ?? {};
  expect(inputs).toMatchObject({
    create: "lab up",
    delete: "lab down local",
    logging: "stderr",
    addPreviousOutputInEnv: false,
  });
  expect(JSON.parse(inputs?.stdin as string)).toMatchObject({
    name: "local",
    kubernetesVersion: "v1.35.0",
    podSubnet: "10.244.0.0/16",
    serviceSubnet: "10.96.0.0/12",
    machines: [
      { name: "master", role: "control-plane", address: "172.31.1.8" },
      { name: "node", role: "worker", address: "172.31.1.207" },
      { name: "client1", role: "client", address: "172.31.1.55" },
      { name: "client2", role: "client", address: "172.31.1.162" },
    ],
  });
  const { kubeProxy, kubernetesVersion } = JSON.parse(inputs?.stdin as string);
  expect(kubeProxy).toBe(false);
  expect(resources.find(({ name }) => name === "cluster-upgrade")?.inputs).toMatchObject({
    stdin: JSON.stringify({ version: kubernetesVersion }),
    triggers: [kubernetesVersion],
  });
});

test("LocalCluster keeps the kubeconfig secret, and nothing else", async () => {
  await recordResources();
  const cluster = new LocalCluster("cluster");
  expect(await pulumi.isSecret(cluster.kubeconfig)).toBe(true);
  expect(await pulumi.isSecret(cluster.apiServer)).toBe(false);
  expect(await resolved(cluster.apiServer)).toEqual({ host: "172.31.1.8", port: 6443 });
  expect(await resolved(cluster.name)).toBe("local");
  await settled();
});

test("a preview knows the machines, and where the API server will answer, but no credentials", async () => {
  await recordResources(true);
  const cluster = new LocalCluster("cluster");
  expect(await resolved(cluster.clients)).toEqual([
    { name: "client1", address: "172.31.1.55" },
    { name: "client2", address: "172.31.1.162" },
  ]);
  expect(await resolved(cluster.nodes)).toHaveLength(2);
  expect(await resolved(cluster.apiServer)).toEqual({ host: "172.31.1.8", port: 6443 });
  expect(await (cluster.kubeconfig as unknown as { isKnown: Promise<boolean> }).isKnown).toBe(false);
  await settled();
});

test("LocalCluster asks for a dual-stack cluster when it has IPv6 networks, and for the same lab as ever without", async () => {
  const documentOf = async (args: LocalClusterArgs) => {
    const resources = await recordResources();
    new LocalCluster("cluster", args);
    await settled();
    return JSON.parse(resources.find(({ type }) => type === "command:local:Command")?.inputs.stdin as string);
  };
  const networks = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };
  expect(await documentOf(networks)).toMatchObject(networks);
  expect(Object.keys(await documentOf({})).sort()).toEqual(
    ["kubeProxy", "kubernetesVersion", "machines", "name", "podSubnet", "serviceSubnet"].sort(),
  );
});

test("machines of a dual-stack LocalCluster are known by both addresses, others by that of IPv4", async () => {
  await recordResources();
  const networks = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };
  const [client1] = await resolved(new LocalCluster("both", networks).clients);
  expect(client1).toEqual({ name: "client1", address: "172.31.1.55", addressIpv6: "fd00:172:31:1::55" });
  const [master] = await resolved(new LocalCluster("one").nodes);
  expect(master).toEqual({ name: "master", address: "172.31.1.8" });
  await settled();
});

test("with IPv6 as its first family a LocalCluster's API server answers at an IPv6 address", async () => {
  const resources = await recordResources();
  const networks = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };
  const cluster = new LocalCluster("c", { ...networks, ipFamilies: [AddressFamily.Ipv6, AddressFamily.Ipv4] });
  expect(await resolved(cluster.apiServer)).toEqual({ host: "fd00:172:31:1::8", port: 6443 });
  await settled();
  const { stdin } = resources.find(({ type }) => type === "command:local:Command")?.inputs ?? {};
  expect(JSON.parse(stdin as string).ipFamilies).toEqual(["IPv6", "IPv4"]);
});

test("a LocalCluster with IPv6 alone has no IPv4 network, and its machines have one address each", async () => {
  const resources = await recordResources();
  const cluster = new LocalCluster("c", { ipFamilies: [AddressFamily.Ipv6] });
  expect(await resolved(cluster.apiServer)).toEqual({ host: "fd00:172:31:1::8", port: 6443 });
  expect(await resolved(cluster.clients)).toEqual([
    { name: "client1", address: "fd00:172:31:1::55" },
    { name: "client2", address: "fd00:172:31:1::162" },
  ]);
  await settled();
  const { stdin } = resources.find(({ type }) => type === "command:local:Command")?.inputs ?? {};
  const lab = JSON.parse(stdin as string);
  expect(lab).toMatchObject({
    podSubnetIpv6: "fd00:10:244::/56",
    serviceSubnetIpv6: "fd00:10:96::/112",
    ipFamilies: ["IPv6"],
  });
  expect([lab.podSubnet, lab.serviceSubnet]).toEqual([undefined, undefined]);
  expect(JSON.stringify(lab)).not.toContain("172.31.1");
});

test("families that follow from the networks, and the other way round, make the same lab", async () => {
  const documentOf = async (args: LocalClusterArgs) => {
    const resources = await recordResources();
    new LocalCluster("cluster", args);
    await settled();
    return resources.find(({ type }) => type === "command:local:Command")?.inputs.stdin;
  };
  const networks = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };
  expect(await documentOf({ ipFamilies: [AddressFamily.Ipv4, AddressFamily.Ipv6] })).toBe(await documentOf(networks));
  expect(await documentOf({ ipFamilies: [AddressFamily.Ipv4] })).toBe(await documentOf({}));
});

const machine = (name: string, role: MachineRole, address: string): Machine => ({ name, role, address });
const control = machine("master", MachineRole.ControlPlane, "172.31.1.8");

test.each<[LocalClusterArgs, string]>([
  [{ name: "Local" }, 'LocalCluster "c": name is "Local", but must be at most 12 lower case letters and digits'],
  [{ kubernetesVersion: "1.35" }, 'kubernetesVersion is "1.35", but must be a release like "v1.35.0"'],
  [
    { podSubnet: "10.244.0.0" },
    'podSubnet is "10.244.0.0", but must be a network with its prefix length (did you mean 10.244.0.0/32?)',
  ],
  [{ podSubnet: "10.244.1.0/16" }, "did you mean 10.244.0.0/16?"],
  [{ podSubnet: "10.96.0.0/16" }, 'podSubnet is "10.96.0.0/16", but must be apart from serviceSubnet 10.96.0.0/12'],
  [
    { podSubnetIpv6: "fd00:10:244::/56" },
    "serviceSubnetIpv6 is undefined, but must be given beside podSubnetIpv6, like fd00:10:96::/112",
  ],
  [{ serviceSubnetIpv6: "fd00:10:96::/112" }, "podSubnetIpv6 is undefined, but must be given beside serviceSubnetIpv6"],
  [
    { podSubnetIpv6: "10.244.0.0/16", serviceSubnetIpv6: "fd00:10:96::/112" },
    'podSubnetIpv6 is "10.244.0.0/16", but must be an IPv6 network like fd00:10:244::/56',
  ],
  [
    { podSubnet: "fd00:10:244::/56" },
    'podSubnet is "fd00:10:244::/56", but must be an IPv4 network like 10.244.0.0/16',
  ],
  [{ podSubnetIpv6: "fd00:10:244::/72", serviceSubnetIpv6: "fd00:10:96::/112" }, "an IPv6 network from /48 to /64"],
  [{ podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/64" }, "an IPv6 network from /108 to /120"],
  [{ podSubnetIpv6: "fd00:10:244::1/56", serviceSubnetIpv6: "fd00:10:96::/112" }, "did you mean fd00:10:244::/56?"],
  [{ podSubnetIpv6: "fe80::/64", serviceSubnetIpv6: "fd00:10:96::/112" }, "apart from fe80::/10 (link-local)"],
  [
    { podSubnetIpv6: "fd00:10:96::/64", serviceSubnetIpv6: "fd00:10:96::/112" },
    'podSubnetIpv6 is "fd00:10:96::/64", but must be apart from serviceSubnetIpv6 fd00:10:96::/112',
  ],
  [
    { podSubnetIpv6: "fd00:172:31::/56", serviceSubnetIpv6: "fd00:10:96::/112" },
    'podSubnetIpv6 is "fd00:172:31::/56", but must be apart from the machines\' network fd00:172:31:1::/64',
  ],
  [{ ipFamilies: [] }, 'ipFamilies is [], but must be "IPv4", "IPv6" or both, each once, in a list'],
  [{ ipFamilies: [AddressFamily.Ipv6, AddressFamily.Ipv6] }, '"IPv4", "IPv6" or both, each once, in a list'],
  [{ ipFamilies: ["ipv6" as AddressFamily] }, 'ipFamilies[0] is "ipv6", but must be "IPv4" or "IPv6"'],
  [
    { ipFamilies: [AddressFamily.Ipv6], podSubnet: "10.244.0.0/16" },
    'podSubnet is "10.244.0.0/16", but must be left out, because ipFamilies is ["IPv6"]',
  ],
  [
    { ipFamilies: [AddressFamily.Ipv4], podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" },
    'podSubnetIpv6 is "fd00:10:244::/56", but must be left out, because ipFamilies is ["IPv4"]',
  ],
  [
    { ipFamilies: [AddressFamily.Ipv6], machines: [control] },
    'machines[0].address is "172.31.1.8", but must be an IPv6 address like fd00:172:31:1::8, because ipFamilies is ["IPv6"]',
  ],
  [
    {
      ipFamilies: [AddressFamily.Ipv6],
      machines: [{ ...control, address: "fd00:172:31:1::8", addressIpv6: "fd00:172:31:1::9" }],
    },
    'machines[0].addressIpv6 is "fd00:172:31:1::9", but must be left out, because ipFamilies is ["IPv6"]: address has it',
  ],
  [
    { ipFamilies: [AddressFamily.Ipv6], machines: [{ ...control, address: "fd00:172:31:1::1" }] },
    "in the machines' network fd00:172:31:1::/64, from fd00:172:31:1::2",
  ],
  [
    {
      ipFamilies: [AddressFamily.Ipv6],
      subnets: [{ name: "w", cidr: "10.1.1.0/24" }],
      machines: [{ ...control, address: "fd00:10:1:1::8" }],
    },
    'subnets[0].cidr is "10.1.1.0/24", but must be an IPv6 network of /64, because ipFamilies is ["IPv6"]',
  ],
  [
    { machines: [{ ...control, address: "fd00:172:31:1::8" }] },
    'machines[0].address is "fd00:172:31:1::8", but must be an IPv4 address like 172.31.1.8',
  ],
  [{ machines: [] }, "machines is [], but must be a list with exactly one machine of the role"],
  [{ machines: [control, control] }, 'machines[1].name is "master", but must be different from machines[0].name'],
  [
    { machines: [control, machine("node", MachineRole.Worker, "172.31.1.8")] },
    'machines[1].address is "172.31.1.8", but must be different from machines[0].address',
  ],
  [
    { machines: [control, machine("node", "server" as MachineRole, "172.31.1.9")] },
    'machines[1].role is "server", but must be "control-plane", "worker", "client" or "router"',
  ],
  [{ machines: [machine("master", MachineRole.ControlPlane, "172.31.1.256")] }, "an IPv4 address like 172.31.1.8"],
  [{ machines: [machine("master", MachineRole.ControlPlane, "10.96.0.9")] }, "from 172.31.1.2 to 172.31.1.254"],
])("LocalCluster refuses %j", async (args, message) => {
  await recordResources();
  expect(() => new LocalCluster("c", args)).toThrow(message);
});

test("a lab is made again for what it cannot change while it runs, and for nothing else", async () => {
  const commandOf = async (args: LocalClusterArgs) => {
    const resources = await recordResources();
    new LocalCluster("cluster", args);
    await settled();
    return resources.find(({ type }) => type === "command:local:Command")?.inputs as Record<string, unknown>;
  };
  const usual = await commandOf({});
  const changedOnly = async (args: LocalClusterArgs) => {
    const { stdin, triggers, create } = await commandOf(args);
    expect(create).toBe(usual.create);
    expect(stdin).not.toBe(usual.stdin);
    return JSON.stringify(triggers) === JSON.stringify(usual.triggers) ? "in place" : "again";
  };
  const of = (address: string, ...others: Machine[]) => [
    machine("master", MachineRole.ControlPlane, address),
    ...others,
  ];
  const node2 = machine("node2", MachineRole.Worker, "172.31.1.208");
  expect(await changedOnly({ machines: of("172.31.1.8", node2) })).toBe("in place");
  expect(await changedOnly({ kubernetesVersion: "v1.35.1" })).toBe("in place");
  expect(await changedOnly({ machines: of("172.31.1.9", node2) })).toBe("again");
  expect(await changedOnly({ podSubnet: "10.245.0.0/16" })).toBe("again");
  expect(await changedOnly({ ipFamilies: [AddressFamily.Ipv4, AddressFamily.Ipv6] })).toBe("again");
});

test("LocalCluster gives the nodes kube-proxy's image when it is asked to, without replacing the cluster", async () => {
  const commandOf = async (loadKubeProxyImage: boolean) => {
    const resources = await recordResources();
    new LocalCluster("cluster", { loadKubeProxyImage });
    await settled();
    return resources.find(({ type }) => type === "command:local:Command")?.inputs;
  };
  const [without, having] = [await commandOf(false), await commandOf(true)];
  expect(JSON.parse(having?.stdin as string)).toMatchObject({ kubeProxy: true });
  expect(having?.triggers).toEqual(without?.triggers);
});

const subnets: LocalSubnet[] = [
  { name: "west", cidr: "10.1.1.0/24" },
  { name: "east", cidr: "10.1.2.0/24" },
];
const router = machine("router", MachineRole.Router, "10.1.1.1");
const master = machine("master", MachineRole.ControlPlane, "10.1.1.8");
const routed = [master, machine("node", MachineRole.Worker, "10.1.2.207"), router];

test("LocalCluster passes on its subnets; its router is neither a node nor a client", async () => {
  const resources = await recordResources();
  const networks = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };
  const cluster = new LocalCluster("c", { ...networks, subnets, machines: routed });
  expect(await resolved(cluster.nodes)).toEqual([
    { name: "master", address: "10.1.1.8", addressIpv6: "fd00:10:1:1::8" },
    { name: "node", address: "10.1.2.207", addressIpv6: "fd00:10:1:2::207" },
  ]);
  expect(await resolved(cluster.clients)).toEqual([]);
  await settled();
  const { stdin } = resources.find(({ type }) => type === "command:local:Command")?.inputs ?? {};
  expect(JSON.parse(stdin as string).subnets).toEqual(subnets);
});

const onLink = (mtu: number, more: object = {}): LocalClusterArgs => ({
  subnets: [{ ...(subnets[0] as LocalSubnet), link: { mtu, ...more } }],
  machines: [master],
});

test.each<[LocalClusterArgs, string]>([
  [
    { machines: [control, router] },
    'machines[1].role is "router", but must be "control-plane", "worker" or "client": a router needs "subnets"',
  ],
  [
    { machines: [{ ...control, subnet: "west" }] },
    'machines[0].subnet is "west", but must be left out, or the name of one of "subnets"',
  ],
  [{ subnets: [], machines: [master] }, "subnets is [], but must be a list of at least one subnet, or left out"],
  [
    { subnets, machines: [master] },
    'but must be a list with one machine of the role "router", like { name: "router", role: "router", address: "10.1.1.1" }, because the lab has 2 subnets',
  ],
  [
    { subnets, machines: [master, router, { ...router, name: "second" }] },
    'machines[2].role is "router", but must be another one: a lab has one router',
  ],
  [
    { subnets, machines: [master, { ...router, address: "10.1.1.2" }] },
    'machines[1].address is "10.1.1.2", but must be the first address of a subnet, which is its gateway: 10.1.1.1 or 10.1.2.1',
  ],
  [{ subnets, machines: [master, { ...router, subnet: "west" }] }, "left out for a router, which is in every subnet"],
  [
    { subnets, machines: [{ ...master, subnet: "north" }, router] },
    'machines[0].subnet is "north", but must be one of the subnets: west (10.1.1.0/24), east (10.1.2.0/24)',
  ],
  [
    { subnets, machines: [{ ...master, subnet: "east" }, router] },
    'machines[0].address is "10.1.1.8", but must be from 10.1.2.2 to 10.1.2.254, in subnet east',
  ],
  [
    { subnets, machines: [control, router] },
    'machines[0].address is "172.31.1.8", but must be in one of the subnets: west',
  ],
  [{ subnets, machines: [{ ...master, address: "10.1.2.1" }, router] }, "from 10.1.2.2 to 10.1.2.254, in subnet east"],
  [
    { subnets, machines: [{ ...master, addressIpv6: "fd00:10:1:2::8" }, router] },
    'machines[0].addressIpv6 is "fd00:10:1:2::8", but must be in the IPv6 network fd00:10:1:1::/64 of subnet west, from fd00:10:1:1::2',
  ],
  [
    { subnets: [{ name: "w", cidr: "10.1.0.0/16" }], machines: [master] },
    'subnets[0].cidr is "10.1.0.0/16", but must be an IPv4 network from /24 to /29',
  ],
  [{ subnets: [{ name: "w", cidr: "10.1.1.0/30" }], machines: [master] }, "a network of at least /29"],
  [
    { subnets: [{ name: "w", cidr: "10.1.1.0/24", cidrIpv6: "fd00::/56" }], machines: [master] },
    "an IPv6 network of /64",
  ],
  [
    { subnets: [...subnets, { name: "west", cidr: "10.1.3.0/24" }], machines: routed },
    "different from subnets[0].name",
  ],
  [
    { subnets: [...subnets, { name: "x", cidr: "10.1.2.128/25" }], machines: routed },
    'subnets[2].cidr is "10.1.2.128/25", but must be apart from subnets[1].cidr 10.1.2.0/24',
  ],
  [
    { subnets: [...subnets, { name: "x", cidr: "10.1.3.0/24", cidrIpv6: "fd00:10:1:2::/64" }], machines: routed },
    'subnets[2].cidrIpv6 is "fd00:10:1:2::/64", but must be apart from the IPv6 network fd00:10:1:2::/64 of subnets[1]',
  ],
  [
    { subnets, machines: routed, podSubnet: "10.1.0.0/16" },
    'podSubnet is "10.1.0.0/16", but must be apart from the network of subnets[0] 10.1.1.0/24',
  ],
  [{ subnets, machines: routed, serviceSubnet: "10.1.2.0/24" }, "apart from the network of subnets[1] 10.1.2.0/24"],
  [
    { subnets, machines: routed, podSubnetIpv6: "fd00:10:1::/56", serviceSubnetIpv6: "fd00:10:96::/112" },
    "apart from the network of subnets[0] fd00:10:1:1::/64",
  ],
  [
    onLink(1279),
    "subnets[0].link.mtu is 1279, but must be from 1280 to 65535: machines have IPv6 addresses, and IPv6 needs 1280 (RFC 8200)",
  ],
  [onLink(1400.5), "subnets[0].link.mtu is 1400.5, but must be a whole number"],
  [onLink(1400, { lossPercent: 101 }), "subnets[0].link.lossPercent is 101, but must be from 0 to 100"],
  [onLink(1400, { delayMs: -1 }), "subnets[0].link.delayMs is -1, but must be from 0 to 10000"],
  [onLink(1400, { delay: 5 }), 'unknown key "delay"'],
])("LocalCluster refuses subnets of %j", async (args, message) => {
  await recordResources();
  expect(() => new LocalCluster("c", args)).toThrow(message);
});
