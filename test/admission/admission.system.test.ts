// The admission policy that Dataplane declares, on a real API server: the rights of an agent pod's token.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dataplane } from "../../components/dataplane/component.ts";
import { Encryption } from "../../components/dataplane/encryption-args.ts";
import { recordResources, settled } from "../../components/testing/program.ts";
import { kubernetesBinary } from "../../lab/installation.ts";
import { createBareLab } from "../../lab/machines/bare.ts";
import { runIn } from "../../lab/machines/enter.ts";
import { removeLab } from "../../lab/machines/removal.ts";
import { kubeconfigPath, TestbedApiServer } from "../../measure/testbed/api-server.ts";
import type { KubernetesObject } from "../../measure/testbed/kubernetes-objects.ts";
import { TestbedMachine } from "../../measure/testbed/testbed-machine.ts";
import { PUBLIC_KEY } from "../../model/encryption/encryption.ts";
import { apiVersionOf, kinds } from "../../model/objects/kinds.ts";
import { schemas } from "../../model/objects/schemas.ts";
import { until } from "../datapath/cluster/until.ts";
import { emptied } from "./emptied-lists.ts";
import { accepts, refuses } from "./policy-objects.ts";
import { keepsPoolsInUse, letsPoolsGoWithTheRights } from "./pools.ts";
import { asksForTiers } from "./tiers.ts";

const lab = `ta${(process.pid % 46_656).toString(36)}`;
const machine = { name: "control", address: "172.31.1.8" };
const AGENT = "ebpf-dataplane";

/** What the component declares of these kinds. */
async function declared(...kinds: string[]): Promise<KubernetesObject[]> {
  const resources = await recordResources();
  const asked = { loadBalancer: true, encryption: Encryption.WireGuard };
  new Dataplane("dp", { apiServer: { host: machine.address, port: 6443 }, ...asked });
  await settled();
  return resources.flatMap(({ type, inputs }) => {
    const kind = type.split(":").at(-1) ?? "";
    const text = JSON.stringify(inputs).replace(/"x_kubernetes_\w+"/g, (key) => key.replaceAll("_", "-"));
    return kinds.includes(kind) ? [JSON.parse(text) as KubernetesObject] : [];
  });
}

const block = (name: string, node: string): KubernetesObject => ({
  apiVersion: "ebpf-dataplane.io/v1alpha1",
  kind: "IPAMBlock",
  metadata: { name },
  spec: { cidr: "10.244.0.0/26", node, pool: "default-ipv4-ippool" },
});
const agentPod = (node: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `agent-${node}`, namespace: AGENT },
  spec: { nodeName: node, serviceAccountName: AGENT, containers: [{ name: "agent", image: "none" }] },
});
/** Without empty lists, which mean the same as none. */
const specOf = (object: object): unknown =>
  "spec" in object &&
  JSON.parse(
    JSON.stringify(object.spec, (_, value) => (Array.isArray(value) && value.length === 0 ? undefined : value)),
  );
const isAboutShape = (message: string) => /^(unknown|missing|invalid) /.test(message);
/** `kubectl patch` of a Node. */
const nodePatch = (node: string, change: object) => [
  "patch",
  "node",
  node,
  "--type=merge",
  "-p",
  JSON.stringify(change),
];
const annotated = (annotations: object) => ({ metadata: { annotations } });
const plain = (kind: string, name: string): KubernetesObject => ({ apiVersion: "v1", kind, metadata: { name } });

/** No role restricts agents here: admission policies do. */
const EVERYTHING: KubernetesObject = {
  ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", metadata: { name: "agents" } },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:serviceaccounts" }],
};

describe("what the tokens of agents may write", () => {
  const kubectl = (words: string[], input = "") => {
    const argv = [kubernetesBinary(), "kubectl", `--kubeconfig=${kubeconfigPath}`, ...words];
    return runIn(lab, machine.name, argv, { input, timeout: 840_000 });
  };
  const done = async (words: string[], input?: string): Promise<string> => {
    const { status, stdout, stderr } = await kubectl(words, input);
    if (status !== 0) throw new Error(`kubectl ${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  const boundTo = (pod: string) =>
    done(["create", "token", AGENT, "-n", AGENT, "--bound-object-kind=Pod", `--bound-object-name=${pod}`]);
  const tokens = new Map<string, string>();
  /** As a node's agent, or as an agent whose token names no node. */
  const as = async (agent: string, words: string[], input?: string): Promise<string> => {
    const { status, stderr } = await kubectl([`--token=${tokens.get(agent)}`, ...words], input);
    return status === 0 ? "done" : stderr;
  };
  const creates = (agent: string, object: KubernetesObject) => as(agent, ["create", "-f", "-"], JSON.stringify(object));

  beforeAll(async () => {
    await createBareLab(lab, [machine]);
    const testbed = new TestbedMachine(lab, machine);
    const api = await TestbedApiServer.start(testbed, "RBAC");
    await api.writeKubeconfig(testbed);
    // The administrator's token is in the kubeconfig's user; agents have their own, which takes precedence.
    const objects = [
      EVERYTHING,
      ...["one", "two"].map((name) => plain("Node", name)),
      ...(await declared(
        "Namespace",
        "CustomResourceDefinition",
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
      )),
    ];
    for (const object of objects) await done(["create", "-f", "-"], JSON.stringify(object));
    for (const object of await declared("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"))
      await done(["create", "-f", "-"], JSON.stringify(object));
    for (const node of ["one", "two"]) {
      await done(["create", "-f", "-"], JSON.stringify(agentPod(node)));
      tokens.set(node, (await boundTo(`agent-${node}`)).trim());
    }
    tokens.set("unbound", (await done(["create", "token", AGENT, "-n", AGENT])).trim());
    await done(["wait", "--for=condition=Established", "crd", "--all", "--timeout=840s"]);
    await inForce();
  });
  afterAll(() => removeLab(lab));

  // The API server takes a moment before it applies a new policy, and may apply them one after the other. The one about pools is waited for
  // where it is tested.
  async function inForce(): Promise<void> {
    const trial = { metadata: { name: "trial", namespace: AGENT } };
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", ...trial, spec: { holderIdentity: "two" } };
    const service = { apiVersion: "v1", kind: "Service", ...trial, spec: { ports: [{ port: 80 }] } };
    for (const object of [block("trial", "two"), service]) await done(["create", "-f", "-"], JSON.stringify(object));
    const [tries, status] = ["--dry-run=server", JSON.stringify({ status: { loadBalancer: {} } })];
    const creating = (object: KubernetesObject) => as("one", ["create", tries, "-f", "-"], JSON.stringify(object));
    const refusals: [refusal: string, attempt: () => Promise<string>][] = [
      ["may write IPAMBlocks of its own node only", () => creating(block("another", "two"))],
      ["may write its own Node only", () => as("one", [...nodePatch("two", annotated({ other: "1" })), tries])],
      ["may delete IPAMBlocks of its own node and", () => as("one", ["delete", "ipamblock", "trial", tries])],
      ["may hold Leases for its own node only", () => creating(lease)],
      [
        "may write the status of Services of type",
        () =>
          as("one", [
            "patch",
            "service",
            "trial",
            "-n",
            AGENT,
            "--subresource=status",
            "--type=merge",
            tries,
            "-p",
            status,
          ]),
      ],
    ];
    for (const [refusal, attempt] of refusals)
      await until(`the API server to say "${refusal}"`, async () => (await attempt()).includes(refusal));
    await done(["delete", "-n", AGENT, "ipamblock/trial", "service/trial"]);
  }

  test("an agent creates and deletes blocks of its own node", async () => {
    expect(await creates("one", block("own", "one"))).toBe("done");
    expect(await as("one", ["delete", "ipamblock", "own"])).toBe("done");
  });

  test("it can neither create, delete nor take over another node's blocks", async () => {
    const refused = "an agent may write IPAMBlocks of its own node only; this token is of node one";
    const kept =
      "an agent may delete IPAMBlocks of its own node and of nodes that do not exist; this token is of node one";
    expect(await creates("one", block("others", "two"))).toContain(refused);
    expect(await creates("two", block("others", "two"))).toBe("done");
    expect(await as("one", ["delete", "ipamblock", "others"])).toContain(kept);
    const lends = (cidr: string) =>
      JSON.stringify({ spec: { cidr, lent: [{ address: "10.244.0.7", node: "one", request: "1" }] } });
    const lend = (cidr: string) => ["patch", "ipamblock", "others", "--type=merge", "-p", lends(cidr)];
    expect(await as("one", lend("10.244.0.0/26"))).toContain(refused);
    expect(await as("two", lend("10.244.0.0/26"))).toBe("done");
    expect(await as("two", lend("10.244.0.0/27"))).toContain("a block never changes, but for what it lends");
    const patch = ["patch", "ipamblock", "others", "--type=merge", "-p", '{"spec":{"node":"one"}}'];
    expect(await as("one", patch)).toContain("is invalid"); // the definition's own rule is checked first
  });

  test("it deletes blocks of a node that does not exist, while every existing node's are its own", async () => {
    const left = JSON.stringify(block("left", "three"));
    await done(["create", "-f", "-"], left);
    expect(await as("unbound", ["delete", "ipamblock", "left"])).toContain("this token is of no node");
    expect(await as("one", ["delete", "ipamblock", "left"])).toBe("done");
    await done(["create", "-f", "-"], left);
    await done(["create", "-f", "-"], JSON.stringify(plain("Node", "three")));
    await until("the API server to know the node", async () =>
      (await as("one", ["delete", "ipamblock", "left", "--dry-run=server"])).includes("nodes that do not exist"),
    );
    expect(await as("one", ["delete", "ipamblock", "left"])).toContain("of nodes that do not exist");
    await done(["delete", "node/three", "ipamblock/left"]);
  });

  test("it writes its public key into its own Node, takes it away again, and changes nothing else of any", async () => {
    const others = {
      metadata: { labels: { zone: "a" }, annotations: { kept: "1" } },
      spec: { podCIDR: "10.5.0.0/24" },
    };
    await done(nodePatch("one", others));
    const changes = (node: string, change: object) => as("one", nodePatch(node, change));
    for (const key of ["A=", "B=", null, "C="])
      expect(await changes("one", annotated({ [PUBLIC_KEY]: key }))).toBe("done");
    expect(await changes("two", annotated({ [PUBLIC_KEY]: "A=" }))).toContain(
      "its own Node only; this token is of node one",
    );
    expect(await as("unbound", nodePatch("one", annotated({ [PUBLIC_KEY]: "A=" })))).toContain(
      "this token is of no node",
    );
    for (const change of [
      annotated({ kept: null }),
      annotated({ kept: "2" }),
      annotated({ [PUBLIC_KEY]: "D=", another: "1" }),
      { metadata: { labels: { zone: "b" } } },
      { metadata: { labels: null } },
      { spec: { unschedulable: true } },
      { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } },
    ])
      expect(await changes("one", change), JSON.stringify(change)).toContain(
        `may write only the annotation ${PUBLIC_KEY}`,
      );
  });

  test("nobody deletes a pool of which a node has a block", () => keepsPoolsInUse(done, kubectl));

  test("pools go with the agents' rights, blocks or not, so that a destroy needs no second run", () =>
    letsPoolsGoWithTheRights(done, kubectl, [EVERYTHING]));

  test("a pool has one encapsulation, and a manifest that names IPIP alone needs no word about VXLAN", async () => {
    const creates = async (spec: object) => {
      const metadata = { name: "wrapped" };
      const object = { apiVersion: "projectcalico.org/v3", kind: "IPPool", metadata, spec };
      const { stderr } = await kubectl(["create", "--dry-run=server", "-f", "-"], JSON.stringify(object));
      return /(\w+ and \w+ are both set|of IPv4 alone)/.exec(stderr)?.[0] ?? stderr;
    };
    const cidr = "10.7.0.0/16";
    expect(await creates({ cidr, ipipMode: "Always" })).toBe("");
    expect(await creates({ cidr, ipipMode: "CrossSubnet", vxlanMode: "Never" })).toBe("");
    expect(await creates({ cidr, ipipMode: "Always", vxlanMode: "CrossSubnet" })).toBe(
      "ipipMode and vxlanMode are both set",
    );
    expect(await creates({ cidr: "fd00:7::/64", ipipMode: "Always" })).toBe("of IPv4 alone");
  });

  test("nobody makes a pool smaller or larger, cuts it otherwise or uses it for something else", async () => {
    const metadata = { name: "kept" };
    const pool = { apiVersion: "projectcalico.org/v3", kind: "IPPool", metadata, spec: { cidr: "10.6.0.0/16" } };
    await done(["create", "-f", "-"], JSON.stringify(pool));
    const changed = async (spec: object) =>
      (await kubectl(["patch", "ippool", "kept", "--type=merge", "-p", JSON.stringify({ spec })])).stderr;
    expect(await changed({ cidr: "10.6.0.0/17" })).toContain("cidr cannot change: make another pool and disable this");
    expect(await changed({ blockSize: 28 })).toContain("blockSize cannot change: make another pool");
    expect(await changed({ allowedUses: ["LoadBalancer"] })).toContain("the use of a pool cannot change");
    expect(await changed({ disabled: true, blockSize: 26 })).toBe("");
    await done(["delete", "ippool", "kept"]);
  });

  test("who may write Calico's NetworkPolicies in a namespace writes those of other tiers only with the tier's rights", () =>
    asksForTiers(done, kubectl));

  test("a token that names no node can write no blocks", async () => {
    expect(await creates("unbound", block("none", "one"))).toContain("this token is of no node");
  });

  describe("as the load balancer", () => {
    const lease = (name: string, holderIdentity: string): KubernetesObject => ({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace: AGENT },
      spec: { holderIdentity },
    });
    const writes = (agent: string, object: KubernetesObject) =>
      as(agent, ["replace", "-f", "-"], JSON.stringify(object));
    const service = (name: string, spec: object): KubernetesObject => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: "default" },
      spec: { ports: [{ port: 80 }], ...spec },
    });
    const patches = (agent: string, name: string, change: object) =>
      as(agent, ["patch", "service", name, "--subresource=status", "--type=merge", "-p", JSON.stringify(change)]);
    const ingress = (...all: object[]) => ({ status: { loadBalancer: { ingress: all } } });

    test("an agent takes a Lease for its own node only, and gives back only its own", async () => {
      const refused = "an agent may hold Leases for its own node only; this token is of node one";
      expect(await creates("one", lease("address-192-0-2-1", "two"))).toContain(refused);
      expect(await creates("one", lease("address-192-0-2-1", "one"))).toBe("done");
      expect(await writes("two", lease("address-192-0-2-1", ""))).toContain("Leases for its own node only");
      expect(await writes("two", lease("address-192-0-2-1", "two"))).toBe("done");
      expect(await writes("two", lease("address-192-0-2-1", ""))).toBe("done");
      expect(await creates("unbound", lease("address-192-0-2-2", "one"))).toContain("this token is of no node");
    });

    test("it deletes a Lease of its own or one that nobody holds, not another node's", async () => {
      const removes = (agent: string, name: string) => as(agent, ["delete", "lease", name, "-n", AGENT]);
      expect(await creates("one", lease("address-192-0-2-7", "one"))).toBe("done");
      expect(await removes("two", "address-192-0-2-7")).toContain("Leases for its own node only");
      expect(await writes("one", lease("address-192-0-2-7", ""))).toBe("done");
      expect(await removes("two", "address-192-0-2-7")).toBe("done");
      expect(await creates("one", lease("address-192-0-2-8", "one"))).toBe("done");
      expect(await removes("one", "address-192-0-2-8")).toBe("done");
      expect(await creates("one", lease("node-one", "one"))).toBe("done");
      expect(await removes("two", "node-one")).toContain("Leases for its own node only");
    });

    test("it proves only that its own node lives", async () => {
      expect(await creates("one", lease("node-two", "one"))).toContain("Leases for its own node only");
      expect(await creates("two", lease("node-two", "two"))).toBe("done");
      expect(await writes("one", lease("node-two", "one"))).toContain("Leases for its own node only");
    });

    test("it writes addresses to the status of Services whose load balancer it is, and nothing else", async () => {
      for (const object of [
        service("ours", { type: "LoadBalancer" }),
        service("theirs", { type: "LoadBalancer", loadBalancerClass: "example.com/other" }),
        service("inside", {}),
      ])
        await done(["create", "-f", "-"], JSON.stringify(object));
      expect(await patches("one", "ours", ingress({ ip: "192.0.2.1", ipMode: "VIP" }))).toBe("done");
      expect(await patches("one", "ours", ingress({ hostname: "example.com" }))).toContain("only addresses");
      expect(await patches("one", "ours", { metadata: { labels: { app: "other" } } })).toContain("only status");
      const condition = {
        type: "Ready",
        status: "True",
        reason: "No",
        message: "",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      };
      expect(await patches("one", "ours", { status: { conditions: [condition] } })).toContain(
        "only status.loadBalancer",
      );
      expect(await patches("one", "theirs", ingress({ ip: "192.0.2.1" }))).toContain("without a loadBalancerClass");
      expect(await patches("one", "inside", { status: { conditions: [condition] } })).toContain("of type LoadBalancer");
      expect(await patches("unbound", "ours", ingress({ ip: "192.0.2.2" }))).toContain("whose token is of a node");
    });
  });

  test("policies of Calico and of the cluster are accepted and refused by the API server as by the agents", async () => {
    const dryRun = (objects: readonly KubernetesObject[]) =>
      kubectl(
        ["create", "--dry-run=server", "-f", "-"],
        JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
      );
    const accepted = await dryRun(accepts.map(({ object }) => object));
    expect(accepted.stderr).toBe("");
    expect(accepts.filter(({ kind, object }) => !schemas[kind].safeParse(object).success)).toEqual([]);
    expect(refuses.filter(({ kind, object }) => schemas[kind].safeParse(object).success)).toEqual([]);
    // kubectl looks at fields and types first, of all objects at once.
    const [shape = [], others = []] = [true, false].map((is) =>
      refuses.filter(({ says }) => isAboutShape(says) === is),
    );
    const { stderr } = await dryRun(shape.map(({ object }) => object));
    for (const { says } of shape) expect(stderr).toContain(says);
    const answers = (await dryRun(others.map(({ object }) => object))).stderr;
    const each = answers.split(/\n(?=Error from server|The \w+ ")/);
    expect(each).toHaveLength(others.length);
    for (const [index, { says }] of others.entries()) expect(each[index]).toContain(says);
  });

  test("server-side apply takes the last member of a list away, and its parents that are empty then: nothing is refused for that", async () => {
    for (const { kind: name, specs, metadata } of emptied) {
      const { kind, plural, namespaced, group } = kinds[name];
      for (const spec of specs) {
        const object = { apiVersion: apiVersionOf(kinds[name]), kind, metadata, spec };
        const answer = await kubectl(["apply", "--server-side", "-o", "json", "-f", "-"], JSON.stringify(object));
        expect(answer.stderr, JSON.stringify(object)).toBe("");
        // What is stored means the same as what was applied.
        const [stored, applied] = [JSON.parse(answer.stdout), object].map((one) => specOf(schemas[name].parse(one)));
        expect(stored).toEqual(applied);
      }
      await done(["delete", `${plural}.${group}`, metadata.name, ...(namespaced ? ["--namespace", "default"] : [])]);
    }
  });

  test("an administrator is not restricted", async () => {
    await done(["create", "-f", "-"], JSON.stringify(block("administrators", "two")));
    await done(["delete", "ipamblock", "administrators"]);
  });
});
