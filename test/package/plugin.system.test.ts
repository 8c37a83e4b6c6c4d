import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Engine, PROVIDER_ID, startEngine } from "./engine.ts";
import { type Installation, installPackage } from "./installation.ts";
import { type Plugin, startPlugin } from "./plugin.ts";

const checkout = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(checkout, path), "utf8");

/** Signature keys of Pulumi's protocol. */
const SPECIAL = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const provider = `urn:pulumi:local::ebpf-dataplane::pulumi:providers:kubernetes::kubernetes::${PROVIDER_ID}`;
const dataplane = {
  type: "ebpf-dataplane:index:Dataplane",
  name: "dataplane",
  inputs: {
    apiServer: { host: "172.31.1.8", port: 6443 },
    returnMode: "dsr",
    ipPools: [{ cidr: "10.244.0.0/16" }, { cidr: "fd00:10:244::/56" }],
    serviceSubnetIpv6: "fd00:10:96::/112",
    networkPolicies: [{ name: "nginx", podSelector: { matchLabels: { app: "nginx" } } }],
  },
  providers: { kubernetes: provider },
};

/** As the SDK's mocks, which the golden file is from, write it: of all ancestors with the parent's type alone. */
function shortened(urn: string): string {
  const [stack, project, types = "", name] = urn.split("::");
  return [stack, project, types.split("$").slice(-2).join("$"), name].join("::");
}

let installation: Installation;
let engine: Engine;
let plugin: Plugin;
beforeAll(async () => {
  installation = await installPackage();
  engine = await startEngine("ebpf-dataplane", "local");
  plugin = await startPlugin(installation.package, engine);
});
beforeEach(() => {
  engine.registered.length = 0;
  engine.errors.length = 0;
});
afterAll(() => {
  plugin?.stop();
  engine?.stop();
  installation?.remove();
});

test("the packed package has the schema of the sources, under its own version", async () => {
  const { version, ...schema } = await plugin.schema();
  expect(version).toBe(JSON.parse(read("package.json")).version);
  expect(`${JSON.stringify(schema, null, 2)}\n`).toBe(read("components/golden/schema.json"));
});

test("a component has the same resources, with the same names, as in a TypeScript program", async () => {
  const { urn, state } = await plugin.construct(dataplane);
  const golden = read("stacks/golden/local.urns.txt").trim().split("\n");
  expect(engine.registered.map((resource) => shortened(resource.urn)).sort()).toEqual(
    golden.filter((line) => line.split("::").at(-1)?.startsWith("dataplane")),
  );
  expect(urn).toBe(engine.registered[0]?.urn);
  expect(state.namespace).toBe("ebpf-dataplane");
});

test("every Kubernetes object uses the component's provider", async () => {
  await plugin.construct(dataplane);
  const objects = engine.registered.filter(({ urn }) => urn.includes("$kubernetes:"));
  expect(objects.length).toBeGreaterThan(5);
  expect([...new Set(objects.map((object) => object.provider))]).toEqual([provider]);
});

test("a preview knows the resources before the cluster's address is known", async () => {
  await plugin.construct({ ...dataplane, inputs: { ...dataplane.inputs, apiServer: UNKNOWN }, preview: true });
  const daemonSet = engine.registered.find(({ urn }) => urn.endsWith("::dataplane-daemonset"));
  expect(JSON.stringify(daemonSet?.inputs)).toContain(UNKNOWN);
});

test("a kubeconfig stays secret until it reaches the command that needs it", async () => {
  const kubeconfig = { [SPECIAL]: SECRET, value: "apiVersion: v1" };
  await plugin.construct({
    type: "ebpf-dataplane:index:SourceIpVerification",
    name: "source-ip",
    inputs: {
      kubeconfig,
      clients: [{ name: "client1", address: "172.31.1.55" }],
      entryAddress: "172.31.1.8",
      nodePort: 30604,
      podLabels: { app: "nginx" },
    },
    preview: true,
  });
  const command = engine.registered.find(({ urn }) => urn.endsWith("::source-ip-check"));
  expect(command?.inputs.environment).toEqual({ KUBECONFIG_CONTENT: kubeconfig });
});

test("a wrong input is refused in one sentence, and nothing is registered", async () => {
  const inputs = { ...dataplane.inputs, returnMode: "direct" };
  await expect(plugin.construct({ ...dataplane, inputs })).rejects.toThrow(
    /^Dataplane "dataplane": returnMode is "direct", but must be .*dsr.*tunnel.*\.$/,
  );
  expect(engine.registered).toEqual([]);
});
