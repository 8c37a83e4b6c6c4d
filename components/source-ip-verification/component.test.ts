import { expect, test } from "vitest";
import { readVerification } from "../../verify/format/document.ts";
import { ReturnMode, ServiceHandling } from "../dataplane/args.ts";
import { AddressFamily } from "../machine/address-family.ts";
import { recordResources, resolved, settled } from "../testing/program.ts";
import { ComparisonMode, HostKeyChecking, LatencyQuantity, type SourceIpVerificationArgs } from "./args.ts";
import { SourceIpVerification } from "./component.ts";
import { ReplyPath, Verdict } from "./expectation.ts";

const given: SourceIpVerificationArgs = {
  kubeconfig: "apiVersion: v1",
  clients: [
    { name: "client1", address: "172.31.1.55" },
    { name: "client2", address: "172.31.1.162" },
  ],
  droppedClients: ["client2"],
  entryAddress: "172.31.1.8",
  nodePort: 30604,
  podLabels: { app: "nginx" },
};

async function commandOf(args: Partial<SourceIpVerificationArgs>) {
  const resources = await recordResources();
  const verification = new SourceIpVerification("v", { ...given, ...args });
  await settled();
  const command = JSON.parse(JSON.stringify(resources.find(({ type }) => type === "command:local:Command")?.inputs));
  const document = JSON.parse(command.stdin);
  return { verification, command, document, check: document.checks[0] };
}

test("SourceIpVerification shows both clients' addresses, then what the policy in force lets through", async () => {
  const { command, check } = await commandOf({ returnMode: ReturnMode.Tunnel });
  const to = "tcp://172.31.1.8:30604";
  const served = (from: string, source: string) => ({ from, to, verdict: "allowed", source, reply: "viaEntryNode" });
  const client1 = served("client1", "172.31.1.55");
  expect(check.steps[0].expect).toEqual([client1, served("client2", "172.31.1.162")]);
  expect(check.steps[0].apply[0].spec.podSelector.matchLabels).toEqual({ app: "nginx" });
  expect(check.steps[1].delete[0].metadata).toEqual(check.steps[0].apply[0].metadata);
  expect(check.steps[1].expect).toEqual([client1, { from: "client2", to, verdict: "dropped" }]);
  expect(command.create).toBe("verify verify --json --lab local --out out -");
});

test("SourceIpVerification enters clients by SSH, with a key that is in no argument", async () => {
  const ssh = [{ client: "client2", host: "198.51.100.9", user: "admin", hostKeyChecking: HostKeyChecking.Off }];
  const { command } = await commandOf({ ssh, sshPrivateKey: "-----BEGIN OPENSSH PRIVATE KEY-----" });
  expect(readVerification(command.stdin).machines).toEqual([
    { name: "client2", address: "172.31.1.162", ssh: { host: "198.51.100.9", user: "admin", hostKeyChecking: "off" } },
  ]);
  expect(JSON.stringify(command.environment)).toContain("BEGIN OPENSSH");
  expect(command.create + command.stdin).not.toContain("BEGIN OPENSSH");
});

test("SourceIpVerification adds no policy where every client is served", async () => {
  const { check } = await commandOf({ droppedClients: [] });
  expect(check.steps).toHaveLength(1);
  expect(check.steps[0].apply).toBeUndefined();
  expect(check.steps[0].expect.map(({ reply }: { reply: string }) => reply)).toEqual(["direct", "direct"]);
});

test("SourceIpVerification expects what kube-proxy does: the entry node's address, and a policy that keeps everybody out", async () => {
  const { check } = await commandOf({ serviceHandling: ServiceHandling.KubeProxyIptables });
  const to = "tcp://172.31.1.8:30604";
  const served = (from: string) => ({ from, to, verdict: "allowed", source: "172.31.1.8", reply: "viaEntryNode" });
  expect(check.steps[0].expect).toEqual([served("client1"), served("client2")]);
  expect(check.steps[0].apply[0].spec.ingress).toEqual([{ from: [{ ipBlock: { cidr: "172.31.1.8/32" } }] }]);
  const dropped = (from: string) => ({ from, to, verdict: "dropped" });
  expect(check.steps[1].expect).toEqual([dropped("client1"), dropped("client2")]);
});

test("SourceIpVerification asks for the user's own expectations while the declared policies are in force", async () => {
  const dns = { from: "pod/default/app=nginx", to: "udp://service/kube-system/kube-dns:53", verdict: Verdict.Allowed };
  const { check } = await commandOf({ expectations: [dns] });
  expect(check.steps[1].expect).toContainEqual(dns);
  expect(check.steps[0].expect).not.toContainEqual(dns);
});

test("SourceIpVerification hands the kubeconfig over as a secret, by environment", async () => {
  const { command } = await commandOf({});
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
  expect(command.environment).toMatchObject({ ...secret, value: { KUBECONFIG_CONTENT: "apiVersion: v1" } });
  expect(command.create + command.stdin).not.toContain("apiVersion: v1");
});

test("SourceIpVerification is repeated when something that it depends on changes, and only then", async () => {
  const trigger = async (args: Partial<SourceIpVerificationArgs>) =>
    JSON.stringify((await commandOf(args)).command.triggers);
  const first = await trigger({});
  expect(await trigger({})).toBe(first);
  expect(await trigger({ returnMode: ReturnMode.Tunnel })).not.toBe(first);
  expect(await trigger({ kubeconfig: "kind: Config" })).not.toBe(first);
  expect(await trigger({ triggers: ["sha256:1"] })).not.toBe(first);
});

test("SourceIpVerification has a trigger that is no secret, which a preview by the command provider needs", async () => {
  const { command } = await commandOf({});
  expect(command.triggers).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

test("SourceIpVerification is repeated at every deployment when asked to", async () => {
  const triggers = async () => (await commandOf({ alwaysRun: true })).command.triggers;
  const [first, second] = [await triggers(), await triggers()];
  expect(first[0]).toBe(second[0]);
  expect(first[1]).not.toBe(second[1]);
});

test.each<[ServiceHandling, string, string]>([
  [ServiceHandling.Ebpf, "fd00::55", "direct"],
  [ServiceHandling.KubeProxyIptables, "fd00::8", "viaEntryNode"],
])("SourceIpVerification connects over IPv6 too, and with %s expects %s", async (serviceHandling, source, reply) => {
  const clients = [
    { name: "client1", address: "172.31.1.55", addressIpv6: "fd00::55" },
    { name: "client2", address: "172.31.1.162", addressIpv6: "fd00::162" },
  ];
  const targets = [{ entryAddress: "fd00::8", nodePort: 30604 }];
  const { check } = await commandOf({ clients, targets, serviceHandling });
  const to = "tcp://[fd00::8]:30604";
  expect(check.steps[0].expect).toContainEqual({ from: "client1", to, verdict: "allowed", source, reply });
  expect(check.steps[0].apply[0].spec.ingress[0].from).toContainEqual({ ipBlock: { cidr: `${source}/128` } });
  expect(check.steps[1].expect).toContainEqual({ from: "client2", to, verdict: "dropped" });
});

test("SourceIpVerification refuses to connect over IPv6 from clients without an IPv6 address", async () => {
  await recordResources();
  const targets = [{ entryAddress: "fd00::8", nodePort: 30604 }];
  expect(() => new SourceIpVerification("v", { ...given, targets })).toThrow(
    "clients[0].addressIpv6 is undefined, but must be given: the clients connect to fd00::8 too",
  );
});

test("SourceIpVerification goes through every target: each client by each node port, pods by the service", async () => {
  const pods = "pod/default/app=web";
  const { check } = await commandOf({
    targets: [
      { entryNode: "node", nodePort: 30604 },
      { service: "nginx", port: 80, from: [pods] },
    ],
  });
  const targets = ["tcp://172.31.1.8:30604", "tcp://node/node:30604"];
  expect(check.steps[0].expect.map(({ from, to }: { from: string; to: string }) => `${from} ${to}`)).toEqual(
    ["client1", "client2"].flatMap((client) => targets.map((to) => `${client} ${to}`)),
  );
  const service = { from: pods, to: "tcp://service/default/nginx:80", verdict: "allowed", source: pods };
  expect(check.steps[1].expect).toContainEqual(service);
  expect(check.steps[0].expect).not.toContainEqual(service);
});

test("SourceIpVerification has probe servers meanwhile", async () => {
  const listen = [{ at: "client1", tcp: "8080", udp: "8080" }];
  expect((await commandOf({ listen })).check.listen).toEqual(listen);
  expect((await commandOf({})).check).not.toHaveProperty("listen");
});

test("SourceIpVerification opens nothing for pods alone", async () => {
  const targets = [{ service: "nginx", port: 80, from: ["pod/default/web"] }];
  const { check } = await commandOf({ entryAddress: undefined, nodePort: undefined, targets });
  expect(check.steps).toHaveLength(1);
});

test("SourceIpVerification measures only when something asks for it, its own mode first", async () => {
  expect((await commandOf({})).document.measurement).toBeUndefined();
  const comparisonModes = [ComparisonMode.KubeProxyIptables, ComparisonMode.EbpfDsr];
  const thresholds = [{ quantity: LatencyQuantity.MedianUs, baseline: ComparisonMode.KubeProxyIptables, atMost: 0.9 }];
  const { document } = await commandOf({ comparisonModes, thresholds });
  expect(document.measurement).toEqual({
    client: "client1",
    to: "tcp://172.31.1.8:30604",
    modes: ["EbpfDsr", "KubeProxyIptables"],
    connections: 10_000,
    concurrency: 1,
  });
  expect(document.thresholds).toEqual([{ mode: "EbpfDsr", ...thresholds[0] }]);
});

test("SourceIpVerification says everything that a check file can say, and hands check files over whole", async () => {
  const whole = {
    from: "client1",
    to: "tcp://node/node:30604",
    verdict: Verdict.Allowed,
    sourcePort: 40001,
    servers: ["default/app=nginx"],
    distinct: { atLeast: 1, atMost: 1 },
    http: { path: "/healthz", status: 503 },
    family: AddressFamily.Ipv4,
    count: 2,
    reply: ReplyPath.Direct,
  };
  const file = new URL("../../docs/checks/walkthrough.check.yaml", import.meta.url).pathname;
  const { check, document } = await commandOf({
    expectations: [{ ...whole, sources: ["client1", "node/node"] }],
    checkFiles: [file],
  });
  expect(check.steps[1].expect).toContainEqual({ ...whole, source: { anyOf: ["client1", "node/node"] } });
  expect(document.checkFiles).toEqual([{ name: file, text: expect.stringContaining("name: ") }]);
});

test("SourceIpVerification names the image of probers for clusters without this package's agents", async () => {
  expect((await commandOf({ probeImage: "images.example.com/team/ebpf-dataplane:0.1.0" })).document.probeImage).toBe(
    "images.example.com/team/ebpf-dataplane:0.1.0",
  );
  expect((await commandOf({})).document.probeImage).toBeUndefined();
});

test("what SourceIpVerification writes is what its program reads", async () => {
  const targets = [{ service: "nginx", port: 80, from: ["pod/default/app=web"] }];
  const thresholds = [{ quantity: LatencyQuantity.P99Us, atMost: 5000 }];
  const { command } = await commandOf({ targets, thresholds, latency: { concurrency: 4 } });
  const read = readVerification(command.stdin);
  expect(read.checks).toHaveLength(1);
  expect(read.measurement?.concurrency).toBe(4);
});

test("SourceIpVerification returns its verdict, paths, and the numbers of its truth table", async () => {
  const { verification } = await commandOf({});
  expect(await resolved(verification.verdict)).toBe("All hold.");
  expect(await resolved(verification.resultPath)).toBe("out/verification.json");
  expect(await resolved(verification.figures)).toEqual([]);
  expect(await resolved(verification.passed)).toBe(4);
  expect(await resolved(verification.failed)).toBe(0);
});

test.each<[Partial<SourceIpVerificationArgs>, string]>([
  [{ nodePort: 80 }, 'SourceIpVerification "v": nodePort is 80, but must be a whole number from 30000 to 32767'],
  [
    { expectations: [{ from: "client1", to: "nginx", verdict: Verdict.Allowed }] },
    'expectations[0].to is "nginx", but must be tcp://HOST:PORT, udp://HOST:PORT, sctp://HOST:PORT or icmp://HOST',
  ],
  [{ entryAddress: "master" }, 'entryAddress is "master", but must be an IPv4 address'],
  [{ podLabels: {} }, "podLabels is {}, but must be labels that select the service's pods"],
  [{ returnMode: "direct" as ReturnMode }, 'returnMode is "direct", but must be "dsr" or "tunnel"'],
  [
    { serviceHandling: ServiceHandling.KubeProxyIptables, targets: [{ entryNode: "node", nodePort: 30604 }] },
    'targets[0].entryNode is "node", but must be absent where kube-proxy handles services: give entryAddress',
  ],
  [{ outputFolder: "a b" }, 'outputFolder is "a b"'],
  [
    { probeImage: "https://images.example.com/x" },
    'probeImage is "https://images.example.com/x", but must be the name',
  ],
  [{ nodePort: undefined }, "nodePort is undefined, but must be given together with entryAddress"],
  [{ nodePort: undefined, entryAddress: undefined }, "targets is [], but must be at least one target"],
  [{ nodePort: 80 }, "nodePort is 80, but must be a whole number from 30000 to 32767"],
  [
    { targets: [{ nodePort: 30604 }] },
    'targets[0] is ["nodePort"], but must be entryAddress or entryNode, with nodePort',
  ],
  [{ targets: [{ service: "nginx", port: 80 }] }, "targets[0].from is undefined, but must be at least one pod"],
  [{ targets: [{ service: "nginx", port: 80, from: ["client1"] }] }, 'targets[0].from[0] is "client1"'],
  [{ targets: [{ service: "nginx", nodePort: 1 }] }, "targets[0] is"],
  [
    { expectations: [{ from: "a", to: "tcp://b:1", verdict: Verdict.Allowed, spreadAtMost: 1 }] },
    "expectations[0].spreadAtMost is 1, but must be less than count, which is 1",
  ],
  [
    { expectations: [{ from: "a", to: "tcp://b:1", verdict: Verdict.Allowed, spread: 2 }] },
    "expectations[0].spread is 2, but must be at most count, which is 1",
  ],
  [
    { expectations: [{ from: "a", to: "tcp://b:1", verdict: Verdict.Allowed, distinct: { atLeast: 2 } }] },
    "expectations[0].distinct.atLeast is 2, but must be at most count, which is 1",
  ],
  [
    { expectations: [{ from: "a", to: "tcp://b:1", verdict: Verdict.Allowed, http: { path: "b" } }] },
    'expectations[0].http.path is "b", but must be a path that begins with "/"',
  ],
  [
    { expectations: [{ from: "a", to: "udp://b:1", verdict: Verdict.Allowed, size: 65_001 }] },
    "expectations[0].size is 65001, but must be at most 65000",
  ],
  [
    { expectations: [{ from: "a", to: "udp://b:1", verdict: Verdict.Allowed, http: {} }] },
    "expectations[0].http is {}, but must be absent unless to is tcp://",
  ],
  [
    { expectations: [{ from: "a", to: "tcp://b:1", verdict: Verdict.Allowed, family: "6" as AddressFamily }] },
    'expectations[0].family is "6", but must be "IPv4" or "IPv6"',
  ],
  [
    { expectations: [{ from: "nod/a", to: "tcp://b:1", verdict: Verdict.Allowed }] },
    'expectations[0].from is "nod/a", but must be a machine\'s name, node/NAME',
  ],
  [
    { expectations: [{ from: "a", to: "tcp://b:1", verdict: Verdict.Allowed, servers: ["nginx"] }] },
    'expectations[0].servers[0] is "nginx", but must be NAMESPACE/NAME or NAMESPACE/LABEL=VALUE',
  ],
  [
    { expectations: [{ from: "a", to: "tcp://b:1", verdict: Verdict.Allowed, source: "a", sources: ["b"] }] },
    'expectations[0].sources is ["b"], but must be absent where source is given',
  ],
  [
    { checkFiles: ["/no/such.check.yaml"] },
    'checkFiles[0] is "/no/such.check.yaml", but must be a file that can be read (ENOENT)',
  ],
  [{ listen: [{ at: "client1" }] }, 'listen[0] is {"at":"client1"}, but must be tcp, udp or both'],
  [{ listen: [{ at: "pod/a/b", tcp: "80" }] }, 'listen[0].at is "pod/a/b", but must be a machine\'s name or node/NAME'],
  [{ listen: [{ at: "client1", tcp: "80,80" }] }, 'listen[0].tcp is "80,80", but must be ports from 1 to 65535'],
  [{ latency: { connections: 0 } }, "latency.connections is 0, but must be a whole number from 1 to 60000"],
  [
    { comparisonModes: ["iptables" as ComparisonMode] },
    'comparisonModes[0] is "iptables", but must be "KubeProxyIptables"',
  ],
  [
    { thresholds: [{ quantity: LatencyQuantity.MedianUs, baseline: ComparisonMode.KubeProxyIptables, atMost: 1 }] },
    'thresholds[0].baseline is "KubeProxyIptables", but must be a mode that is measured ("EbpfDsr"): add it to comparisonModes',
  ],
  [{ thresholds: [{ quantity: LatencyQuantity.P99Us, atMost: 0 }] }, "thresholds[0].atMost is 0"],
])("SourceIpVerification refuses %j", async (args, message) => {
  await recordResources();
  expect(() => new SourceIpVerification("v", { ...given, ...args })).toThrow(message);
});
