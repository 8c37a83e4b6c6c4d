import { describe, expect, test } from "vitest";
import { schemas } from "../../model/objects/schemas.ts";
import {
  ANY_INTERFACE,
  Direction,
  EndpointFlag,
  FROM_WORKLOADS,
  HostStage,
  hostStageNames,
  POLICY_ANY_IDENTITY,
  PolicyVerdict,
  policyVerdictNames,
  SettingsFlag,
} from "../kernel/layout.gen.ts";
import { Compiler } from "./compile.ts";
import { type Contributions, type DesiredMaps, entriesOf } from "./desired.ts";
import { type ClusterSnapshot, noObjects } from "./snapshot.ts";

const facts: ClusterSnapshot["facts"] = {
  nodeName: "master",
  address: "172.31.1.8",
  subnets: ["172.31.1.0/24"],
  serviceSubnet: "10.96.0.0/12",
  localAddresses: [],
  uplinkIfindex: 2,
  tunnelIfindex: 9,
  uplinks: [{ name: "eth0", ifindex: 2, addresses: ["172.31.1.8"] }],
  apiServer: { address: "172.31.1.8", port: 6443 },
};

const machine = (name: string, address: string, labels: Record<string, string>) =>
  schemas.nodes.parse({ metadata: { name, labels }, status: { addresses: [{ type: "InternalIP", address }] } });

function snapshot(parts: Partial<ClusterSnapshot> = {}): ClusterSnapshot {
  const nodes = [machine("master", "172.31.1.8", { role: "db" }), machine("node", "172.31.1.207", { role: "web" })];
  return { ...noObjects, facts, endpoints: [], nodes, ...parts };
}

const host = (spec: object, labels: Record<string, string> = { role: "db" }, name = "host") =>
  schemas.hostEndpoints.parse({ metadata: { name, labels }, spec: { node: "master", ...spec } });
const policy = (name: string, spec: object) =>
  schemas.globalNetworkPolicies.parse({ metadata: { name }, spec: { selector: "role == 'db'", ...spec } });
const felix = (spec: object) => schemas.felixConfigurations.parse({ metadata: { name: "default" }, spec });
const automatic = schemas.kubeControllersConfigurations.parse({
  metadata: { name: "default" },
  spec: { controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } } },
});

const WAYS = { [EndpointFlag.INGRESS_ISOLATED]: "ingress", [EndpointFlag.EGRESS_ISOLATED]: "egress" };

/** "eth0: ingress, egress; allows ingress 172.31.1.207/32 tcp 5432" */
function inWords(maps: DesiredMaps): string[] {
  const names = new Map([
    ...[
      [2, "eth0"],
      [ANY_INTERFACE, "*"],
      [FROM_WORKLOADS, "workloads"],
    ].map(([key, name]) => [key, name] as const),
  ]);
  const addresses = Map.groupBy(entries(maps.locations), ({ value }) => value.identity);
  return entries(maps.hostEndpoints).map(({ key, value }) => {
    const ways = Object.entries(WAYS).flatMap(([flag, way]) => (value.flags & Number(flag) ? [way] : []));
    const allowed = entries(maps.policies)
      .filter((entry) => entry.key.policy === value.policy && entry.value.verdict === PolicyVerdict.ALLOW)
      .map(({ key: { identity, direction, protocol, port } }) => {
        const peers = (addresses.get(identity) ?? []).map((entry) => entry.key.address).sort();
        const who = identity === POLICY_ANY_IDENTITY ? "anybody" : peers.join(" ");
        return `${direction === Direction.INGRESS ? "ingress" : "egress"} ${who} ${protocol} ${port}`;
      });
    const stage = key.stage === HostStage.OWN ? "" : ` ${hostStageNames.get(key.stage)}`;
    return `${names.get(key.interface)}${stage}: ${ways.join(", ") || "open"}${allowed.map((text) => `; ${text}`).join("")}`;
  });
}

const entries = <K, V>(contributions: Contributions<K, V>) => entriesOf(contributions);
const compiled = (parts: Partial<ClusterSnapshot>) => new Compiler().compile(snapshot(parts));
const settingsFlags = (maps: DesiredMaps) => entries(maps.settings)[0]?.value.flags ?? 0;

describe("host endpoints in the maps", () => {
  test("a manual one is closed to what no policy allows, but for fail-safe ports", () => {
    const { maps } = compiled({ hostEndpoints: [host({ interfaceName: "eth0" })] });
    expect(inWords(maps)).toEqual(["eth0: ingress, egress"]);
    expect(settingsFlags(maps) & SettingsFlag.HOST_POLICIES).toBeTruthy();
    const ports = entries(maps.failsafes).map(({ key }) => `${key.direction} ${key.protocol} ${key.port} ${key.peer}`);
    expect(ports).toContain("0 6 22 ::");
    expect(ports).toContain("1 6 6443 172.31.1.8");
  });

  test("policies that select its labels say what it may, in their directions; the others stay closed", () => {
    const { maps } = compiled({
      hostEndpoints: [host({ interfaceName: "eth0" })],
      globalNetworkPolicies: [
        policy("db", {
          types: ["Ingress"],
          ingress: [{ action: "Allow", protocol: "TCP", destination: { ports: [5432] } }],
        }),
        policy("web", { selector: "role == 'web'", types: ["Ingress"], ingress: [{ action: "Allow" }] }),
      ],
    });
    expect(inWords(maps)).toEqual(["eth0: ingress, egress; ingress anybody 6 5432"]);
  });

  test("an automatic one is open until a policy selects its node's labels, in the directions of the policy", () => {
    const kubeControllersConfigurations = [automatic];
    expect(inWords(compiled({ kubeControllersConfigurations }).maps)).toEqual([]);
    expect(settingsFlags(compiled({ kubeControllersConfigurations }).maps) & SettingsFlag.HOST_POLICIES).toBe(0);
    const globalNetworkPolicies = [policy("db", { types: ["Ingress"], ingress: [] })];
    expect(inWords(compiled({ kubeControllersConfigurations, globalNetworkPolicies }).maps)).toEqual(["*: ingress"]);
  });

  test("an open one is watched, and judges nothing, while a staged policy selects it", () => {
    const staged = (selector: string, spec: object = {}) =>
      schemas.stagedGlobalNetworkPolicies.parse({ metadata: { name: "s" }, spec: { selector, ...spec } });
    const maps = (...stagedGlobalNetworkPolicies: ReturnType<typeof staged>[]) =>
      compiled({ kubeControllersConfigurations: [automatic], stagedGlobalNetworkPolicies }).maps;
    expect(inWords(maps(staged("role == 'db'")))).toEqual(["*: open"]);
    expect(settingsFlags(maps(staged("all()"))) & SettingsFlag.HOST_POLICIES).toBeTruthy();
    for (const other of [staged("role == 'web'"), staged("role == 'db'", { stagedAction: "Learn" })])
      expect([inWords(maps(other)), settingsFlags(maps(other)) & SettingsFlag.HOST_POLICIES]).toEqual([[], 0]);
  });

  test("nodes are peers by the labels of their host endpoints, of other nodes too", () => {
    const { maps } = compiled({
      kubeControllersConfigurations: [automatic],
      globalNetworkPolicies: [
        policy("db", {
          types: ["Ingress"],
          ingress: [{ action: "Allow", protocol: "TCP", source: { selector: "role == 'web'" } }],
        }),
      ],
    });
    expect(inWords(maps)).toEqual(["*: ingress; ingress 172.31.1.207 6 0"]);
  });

  test("a manual one with the profile that allows is open like an automatic one", () => {
    const profiles = ["projectcalico-default-allow"];
    expect(inWords(compiled({ hostEndpoints: [host({ interfaceName: "*", profiles })] }).maps)).toEqual([]);
  });

  test("an interface that is open keeps its entry beside one for all others that is not", () => {
    const profiles = ["projectcalico-default-allow"];
    const hostEndpoints = [host({ interfaceName: "eth0", profiles }), host({ interfaceName: "*" }, {}, "others")];
    expect(inWords(compiled({ hostEndpoints }).maps)).toEqual(["eth0: open", "*: ingress, egress"]);
  });

  test("a host endpoint of a node that is gone, or of another one, judges nothing here", () => {
    const gone = host({ node: "gone", interfaceName: "*" });
    const { maps, problems } = compiled({ hostEndpoints: [gone, host({ node: "node", interfaceName: "*" }, {}, "b")] });
    expect(inWords(maps)).toEqual([]);
    expect(problems.filter(({ kind }) => kind === "HostEndpoint")).toEqual([]);
  });

  test("an interface that is no uplink is reported: it is not protected", () => {
    const { problems } = compiled({ hostEndpoints: [host({ interfaceName: "eth7" })] });
    expect(problems).toMatchObject([{ kind: "HostEndpoint", name: "host", path: "spec.interfaceName" }]);
  });
});

describe("pods' way to their node", () => {
  const hostEndpoints = [host({ interfaceName: "*" })];

  test("is open, and decided by the host endpoint of all interfaces with Return, and closed with Drop", () => {
    const words = (action: string, hosts = hostEndpoints) =>
      inWords(
        compiled({ hostEndpoints: hosts, felixConfigurations: [felix({ defaultEndpointToHostAction: action })] }).maps,
      );
    expect(words("Accept")).toEqual(["*: ingress, egress"]);
    expect(words("Return")).toEqual(["*: ingress, egress", "workloads: ingress, egress"]);
    expect(words("Drop", [])).toEqual(["workloads: ingress"]);
    expect(words("Return", [])).toEqual([]);
  });

  test("has no fail-safe ports where it is closed, but where policies decide", () => {
    const flags = (action: string) =>
      entries(
        compiled({ hostEndpoints, felixConfigurations: [felix({ defaultEndpointToHostAction: action })] }).maps
          .hostEndpoints,
      ).find(({ key }) => key.interface === FROM_WORKLOADS)?.value.flags ?? 0;
    expect(flags("Drop") & EndpointFlag.WITHOUT_FAILSAFES).toBeTruthy();
    expect(flags("Return") & EndpointFlag.WITHOUT_FAILSAFES).toBe(0);
  });
});

describe("the revision, by which connections are judged again", () => {
  const revisions = (parts: Partial<ClusterSnapshot>) => {
    const { maps } = compiled({ hostEndpoints: [host({ interfaceName: "*" })], ...parts });
    const [own] = entries(maps.hostEndpoints);
    return [own?.value.revision, entries(maps.settings)[0]?.value.policyRevision];
  };

  test.each([
    ["a policy", { globalNetworkPolicies: [policy("db", { types: ["Ingress"], ingress: [] })] }],
    ["fail-safe ports", { felixConfigurations: [felix({ failsafeInboundHostPorts: [] })] }],
  ])("changes with %s", (_, parts) => {
    const [before, after] = [revisions({}), revisions(parts)];
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  });

  test("of the node changes when pods' way to it is closed", () => {
    const closed = revisions({ felixConfigurations: [felix({ defaultEndpointToHostAction: "Drop" })] });
    expect(closed[1]).not.toBe(revisions({})[1]);
  });
});

describe("policies of other traffic than the node's own", () => {
  const early = { preDNAT: true, applyOnForward: true, ingress: [{ action: "Deny", protocol: "TCP" }] };
  const forward = { applyOnForward: true, types: ["Ingress"], ingress: [{ action: "Allow", protocol: "TCP" }] };
  const eth0 = host({ interfaceName: "eth0" });
  const revision = (parts: Partial<ClusterSnapshot>) => entries(compiled(parts).maps.settings)[0]?.value.hostRevision;

  test("without any there is nothing to ask", () => {
    expect(revision({ hostEndpoints: [eth0] })).toBe(0);
  });

  test("what preDNAT does not decide goes on, whatever its tier says", () => {
    const { maps, problems } = compiled({ hostEndpoints: [eth0], globalNetworkPolicies: [policy("early", early)] });
    expect(problems).toEqual([]);
    expect(inWords(maps)).toEqual(["eth0: ingress, egress", "eth0 pre_dnat: ingress"]);
    const { policy: number } = entries(maps.hostEndpoints)[1]?.value ?? {};
    const verdicts = entries(maps.policies).flatMap(({ key, value }) =>
      key.policy === number ? [`${key.protocol} ${policyVerdictNames.get(value.verdict)}`] : [],
    );
    expect(verdicts.sort()).toEqual(["0 next", "6 deny"]);
    expect(
      maps.settings.length > 0 && revision({ hostEndpoints: [eth0], globalNetworkPolicies: [policy("early", early)] }),
    ).not.toBe(0);
  });

  test("applyOnForward is of the node itself and of what it forwards", () => {
    const { maps, problems } = compiled({ hostEndpoints: [eth0], globalNetworkPolicies: [policy("forward", forward)] });
    expect(problems).toEqual([]);
    expect(inWords(maps)).toEqual([
      "eth0: ingress, egress; ingress anybody 6 0",
      "eth0 forwarded: ingress; ingress anybody 6 0",
    ]);
  });

  test("an interface whose own host endpoint no such policy selects is open to what others close", () => {
    const hostEndpoints = [
      host({ interfaceName: "eth0" }, { role: "web" }),
      host({ interfaceName: "*" }, undefined, "others"),
    ];
    const { maps } = compiled({ hostEndpoints, globalNetworkPolicies: [policy("early", early)] });
    expect(inWords(maps)).toEqual([
      ...["eth0: ingress, egress", "*: ingress, egress"],
      ...["eth0 pre_dnat: open", "*: ingress"].map((line) => line.replace("*:", "* pre_dnat:")),
    ]);
  });

  test("they alone do not close the node, and have its connections judged again when they change", () => {
    const kubeControllersConfigurations = [automatic];
    const of = (spec: object) => ({ kubeControllersConfigurations, globalNetworkPolicies: [policy("early", spec)] });
    expect(inWords(compiled(of(early)).maps)).toEqual(["* pre_dnat: ingress"]);
    expect(settingsFlags(compiled(of(early)).maps) & SettingsFlag.HOST_POLICIES).toBeTruthy();
    expect(revision(of({ ...early, ingress: [{ action: "Allow" }] }))).not.toBe(revision(of(early)));
  });
});

test("doNotTrack is asked in both directions, about every packet, and what it does not decide goes on", () => {
  const spec = { doNotTrack: true, applyOnForward: true, ingress: [{ action: "Allow", protocol: "UDP" }], egress: [] };
  const { maps, problems } = compiled({
    hostEndpoints: [host({ interfaceName: "eth0" })],
    globalNetworkPolicies: [policy("early", { types: ["Ingress", "Egress"], ...spec })],
  });
  expect(problems).toEqual([]);
  expect(inWords(maps)).toEqual(["eth0: ingress, egress", "eth0 untracked: ingress, egress; ingress anybody 17 0"]);
  expect(settingsFlags(maps) & SettingsFlag.UNTRACKED).toBeTruthy();
  expect(entries(maps.settings)[0]?.value.hostRevision).not.toBe(0);
});
