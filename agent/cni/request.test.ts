import { expect, test } from "vitest";
import { pod } from "../../model/objects/core.ts";
import { expectAcceptedFields, expectKnownPortMappings } from "./accepted-fields.ts";
import { attachmentOf, networkOf, parseRequest } from "./request.ts";

const config = { cniVersion: "1.1.0", name: "pods", type: "ebpf-dataplane" };
const env = { CNI_COMMAND: "ADD", CNI_CONTAINERID: "c1", CNI_NETNS: "/run/netns/a", CNI_IFNAME: "eth0" };
const parsed = (moreConfig: object = {}, moreEnv: object = {}) =>
  parseRequest({ env: { ...env, ...moreEnv }, config: { ...config, ...moreConfig } });
const failure = (act: () => unknown): { code?: number; message?: string } => {
  try {
    act();
    return {};
  } catch (error) {
    return error as { code: number; message: string };
  }
};

test.each([
  ["0.2.0", "ADD"],
  ["2.0.0", "DEL"],
  ["", "STATUS"],
  ["0.3.1", "CHECK"],
  ["1.0.0", "GC"],
  ["1.0.0", "STATUS"],
])("parseRequest() refuses CNI version %j for %s with error 1", (cniVersion, CNI_COMMAND) => {
  expect(failure(() => parsed({ cniVersion }, { CNI_COMMAND })).code).toBe(1);
});

test.each([
  ["0.3.1", "ADD"],
  ["0.4.0", "CHECK"],
  ["1.0.0", "DEL"],
  ["1.1.0", "GC"],
])("parseRequest() accepts CNI version %s for %s", (cniVersion, CNI_COMMAND) => {
  expect(failure(() => parsed({ cniVersion }, { CNI_COMMAND }))).toEqual({});
});

test.each([
  { CNI_CONTAINERID: "" },
  { CNI_CONTAINERID: "-c" },
  { CNI_CONTAINERID: "a/b" },
  { CNI_IFNAME: "" },
  { CNI_IFNAME: ".." },
  { CNI_IFNAME: "eth0\nlink delete" },
  { CNI_IFNAME: "a-name-that-is-too-long" },
])("attachmentOf() refuses %j with error 4 and names the variable", (more) => {
  const { code, message } = failure(() => attachmentOf(parsed({}, more)));
  expect([code, message]).toEqual([4, expect.stringContaining(Object.keys(more)[0] as string)]);
});

test("parseRequest() refuses a command that does not exist with error 4, networkOf() a network without a name with error 7", () => {
  expect(failure(() => parsed({}, { CNI_COMMAND: "MOVE" })).code).toBe(4);
  for (const name of ["", "../x"]) expect(failure(() => networkOf(parsed({ name }))).code).toBe(7);
  expect(networkOf(parsed())).toBe("pods");
});

test.each([
  ["ipam", { type: "host-local" }],
  ["mtu", 1400],
  ["runtimeConfig.bandwidth", { ingressRate: 1000 }],
  ["runtimeConfig.mac", "02:00:00:00:00:01"],
  ["runtimeConfig.ips", ["10.1.1.1/24"]],
  ["args.cni.ips", ["10.1.1.1"]],
])("expectAcceptedFields() refuses %s with error 2, which names the key and its value", (field, value) => {
  const nested = field.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
  const { code, message } = failure(() => expectAcceptedFields(parsed(nested).config));
  expect([code, message]).toEqual([2, expect.stringContaining(`${field}: ${JSON.stringify(value)}`)]);
});

test("expectAcceptedFields() accepts what runtimes add, and refuses to follow another plugin", () => {
  const added = {
    ...{ socket: "/run/agent.sock", capabilities: { portMappings: true }, args: { cni: { labels: [] } } },
    ...{ runtimeConfig: { bandwidth: {}, portMappings: [] }, "cni.dev/attachments": [], disableCheck: true },
  };
  expect(failure(() => expectAcceptedFields(parsed(added).config))).toEqual({});
  const { code, message } = failure(() => expectAcceptedFields(parsed({ prevResult: { ips: [] } }).config));
  expect([code, message]).toEqual([7, expect.stringContaining("put ebpf-dataplane first")]);
});

test("expectKnownPortMappings() accepts the host ports of the pod's object, which the agent serves, and no others", () => {
  const ports = [
    { containerPort: 80, hostPort: 8080 },
    { containerPort: 81, hostPort: 8080, hostIP: "172.31.1.8" },
    { containerPort: 53, hostPort: 5353, protocol: "UDP" },
  ];
  const web = pod.parse({
    metadata: { name: "web" },
    spec: { nodeName: "node", containers: [{ name: "web", ports }] },
    status: {},
  });
  const said = (portMappings: unknown, of: typeof web | null = web) =>
    failure(() => expectKnownPortMappings(parsed({ runtimeConfig: { portMappings } }).config, of ?? undefined));
  const mapping = (hostPort: number, containerPort: number, protocol?: string) => ({
    ...{ hostPort, containerPort },
    ...(protocol && { protocol }),
  });
  expect(said([mapping(8080, 80, "tcp"), mapping(5353, 53, "udp")])).toEqual({});
  expect(said([mapping(8080, 80)])).toEqual({});
  expect(said([{ ...mapping(8080, 81), hostIP: "172.31.1.8" }])).toEqual({});
  expect(said([])).toEqual({});
  for (const other of [mapping(8081, 80), mapping(8080, 81), mapping(8080, 80, "udp"), mapping(5353, 53)])
    expect(said([mapping(8080, 80), other])).toMatchObject({ code: 2, message: expect.stringContaining("hostPort") });
  expect(said([mapping(8080, 80)], null).code).toBe(2);
  expect(said("all").code).toBe(2);
});
