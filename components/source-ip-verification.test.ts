import { expect, test } from "vitest";
import { ReturnMode, ServiceHandling } from "./dataplane-args.ts";
import { Verdict } from "./expectation.ts";
import { SourceIpVerification, type SourceIpVerificationArgs } from "./source-ip-verification.ts";
import { recordResources, resolved, settled } from "./testing/program.ts";

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
  return { verification, command, check: JSON.parse(command.stdin) };
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
  expect(command.create).toMatch(/^node \S+\/dist\/verify.js check --json --lab local --out out\/verification.json -$/);
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

test("SourceIpVerification is repeated when what it hangs on changes, and only then", async () => {
  const trigger = async (args: Partial<SourceIpVerificationArgs>) =>
    JSON.stringify((await commandOf(args)).command.triggers);
  const first = await trigger({});
  expect(await trigger({})).toBe(first);
  expect(await trigger({ returnMode: ReturnMode.Tunnel })).not.toBe(first);
  expect(await trigger({ kubeconfig: "another cluster" })).not.toBe(first);
  expect(await trigger({ triggers: ["sha256:1"] })).not.toBe(first);
});

test("SourceIpVerification has a trigger that is no secret, which a preview by the command provider needs", async () => {
  const { command } = await commandOf({});
  expect(command.triggers).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

test("SourceIpVerification returns the numbers of its truth table", async () => {
  const { verification } = await commandOf({});
  expect(await resolved(verification.passed)).toBe(4);
  expect(await resolved(verification.failed)).toBe(0);
});

test.each<[Partial<SourceIpVerificationArgs>, string]>([
  [{ nodePort: 80 }, 'SourceIpVerification "v": nodePort is 80, but must be a whole number from 30000 to 32767'],
  [
    { expectations: [{ from: "client1", to: "nginx", verdict: Verdict.Allowed }] },
    'expectations[0].to is "nginx", but must be tcp://HOST:PORT or udp://HOST:PORT',
  ],
  [{ entryAddress: "master" }, 'entryAddress is "master", but must be an IPv4 address'],
  [{ podLabels: {} }, "podLabels is {}, but must be labels that select the service's pods"],
  [{ returnMode: "direct" as ReturnMode }, 'returnMode is "direct", but must be "dsr" or "tunnel"'],
  [{ outputFile: "a b" }, 'outputFile is "a b"'],
])("SourceIpVerification refuses %j", async (args, message) => {
  await recordResources();
  expect(() => new SourceIpVerification("v", { ...given, ...args })).toThrow(message);
});
