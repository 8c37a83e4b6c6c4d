import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources, settled } from "../testing/program.ts";
import { refusalsOf } from "../testing/refusals.ts";
import { type AgentPods, NodeSelectorOperator, TaintEffect } from "./agent-pods-args.ts";
import { ServiceHandling } from "./args.ts";
import { Dataplane } from "./component.ts";

const apiServer = { host: "172.31.1.8", port: 6443 };
const later = <Value>(value: Value) => pulumi.output(value);
const OS = "kubernetes.io/os";

async function daemonSets(pods: AgentPods, serviceHandling = ServiceHandling.Ebpf) {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer, serviceHandling, ...pods });
  await settled();
  const found = resources.filter(({ type }) => type.endsWith(":DaemonSet"));
  const plain = found.map(({ inputs }) => JSON.parse(JSON.stringify(inputs)));
  return Object.fromEntries(plain.map((one) => [one.metadata.name, one]));
}

const agentsOf = async (pods: AgentPods) => (await daemonSets(pods))["ebpf-dataplane"];

test("agents run on every Linux node unless something else is asked for", async () => {
  const { metadata, spec } = await agentsOf({});
  expect(metadata).not.toHaveProperty("annotations");
  expect(spec.updateStrategy).toEqual({ type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } });
  const pod = spec.template.spec;
  expect(pod).toMatchObject({
    priorityClassName: "system-node-critical",
    nodeSelector: { [OS]: "linux" },
    tolerations: [{ operator: "Exists" }],
  });
  expect(pod).not.toHaveProperty("affinity");
  expect(pod).not.toHaveProperty("imagePullSecrets");
  const [{ resources, env }] = pod.containers;
  expect(resources).toEqual({ requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "2560Mi" } });
  expect(env).toContainEqual({
    name: "NODE_OPTIONS",
    value: "--max-old-space-size=1536 --max-semi-space-size=8 --v8-pool-size=1",
  });
  expect(env).toContainEqual({ name: "MALLOC_ARENA_MAX", value: "1" });
  expect(env).toContainEqual({ name: "MALLOC_TRIM_THRESHOLD_", value: "131072" });
});

test("what is asked for is in the DaemonSet beside what it always has, also what is known later", async () => {
  const { metadata, spec } = await agentsOf({
    labels: { team: later("net") },
    annotations: later({ "example.com/owner": "net" }),
    updateStrategy: { rollingUpdate: { maxUnavailable: "10%" } },
  });
  expect(metadata.labels).toEqual({ team: "net", "k8s-app": "ebpf-dataplane" });
  expect(metadata.annotations).toEqual({ "example.com/owner": "net" });
  expect(spec.selector.matchLabels).toEqual({ "k8s-app": "ebpf-dataplane" });
  expect(spec.updateStrategy.rollingUpdate).toEqual({ maxUnavailable: "10%" });
  expect(spec.template.metadata.labels).toEqual(metadata.labels);
  expect(spec.template.metadata.annotations).toMatchObject({
    "example.com/owner": "net",
    "ebpf-dataplane.io/settings-digest": expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test("kube-proxy beside the agents runs where they do, and its image is pulled as theirs", async () => {
  const required = {
    nodeSelectorTerms: [
      {
        matchExpressions: [
          { key: "virtual", operator: NodeSelectorOperator.DoesNotExist },
          { key: "generation", operator: NodeSelectorOperator.Gt, values: [later("3")] },
        ],
      },
    ],
  };
  const found = await daemonSets(
    {
      nodeSelector: { pool: later("apps") },
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
      tolerations: [{ key: "dedicated", value: "apps", effect: TaintEffect.NoSchedule }],
      imagePullSecrets: [{ name: later("registry") }],
      priorityClassName: "network",
    },
    ServiceHandling.KubeProxyNftables,
  );
  for (const name of ["ebpf-dataplane", "kube-proxy"])
    expect(found[name].spec.template.spec).toMatchObject({
      nodeSelector: { [OS]: "linux", pool: "apps" },
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: "virtual" }, { key: "generation", operator: "Gt", values: ["3"] }] },
            ],
          },
        },
      },
      // A node waits for its network with this taint, and agents are what it waits for.
      tolerations: [
        { key: "dedicated", value: "apps", effect: "NoSchedule" },
        { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoSchedule" },
      ],
      imagePullSecrets: [{ name: "registry" }],
      priorityClassName: "network",
    });
});

test.each([
  ["1Gi", 614],
  ["4Gi", 1536],
  [undefined, 1536],
])("with a limit of %s of memory the agent's heap is %d MiB", async (memory, heap) => {
  const limits: Record<string, pulumi.Output<string>> = memory === undefined ? {} : { memory: later(memory) };
  const [{ resources, env }] = (await agentsOf({ resources: { limits } })).spec.template.spec.containers;
  expect(resources).toEqual({ requests: { cpu: "100m", memory: "256Mi" }, limits: memory ? { memory } : {} });
  expect(env.find(({ name }: { name: string }) => name === "NODE_OPTIONS").value).toContain(`-space-size=${heap} `);
});

const terms = (...nodeSelectorTerms: object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const expression = (one: object) => terms({ matchExpressions: [one] });
const rolling = (maxUnavailable: unknown) => ({ updateStrategy: { rollingUpdate: { maxUnavailable } } });
const IN_TERMS = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";

test.each<[object, string]>([
  [{ labels: { "k8s-app": "mine" } }, 'labels is "k8s-app", but must be labels of your own'],
  [{ labels: { team: "a b" } }, "labels.team is"],
  [{ labels: later({ team: "a b" }) }, "labels.team is"],
  [{ labels: { team: later("a b") } }, "labels.team is"],
  [{ annotations: { "ebpf-dataplane.io/image-digest": "" } }, "annotations of your own"],
  [{ annotations: { "a b": "" } }, "the key of a label"],
  [{ annotations: { owner: 1 } }, '(did you mean "1"?)'],
  [{ imagePullSecrets: ["registry"] }, 'imagePullSecrets[0] is "registry", but must be an object with name'],
  [{ imagePullSecrets: [{ name: "Registry" }] }, 'imagePullSecrets[0].name is "Registry"'],
  [{ imagePullSecrets: [{ name: later("") }] }, 'imagePullSecrets[0].name is ""'],
  [{ imagePullSecrets: [{ name: "a" }, { name: "a" }] }, "must be different from imagePullSecrets[0].name"],
  [{ nodeSelector: { [OS]: "windows" } }, `nodeSelector.${OS} is "windows", but must be "linux", or left out`],
  [{ nodeSelector: { [OS]: later("windows") } }, `nodeSelector.${OS} is "windows"`],
  [{ nodeSelector: "pool=apps" }, 'nodeSelector is "pool=apps", but must be an object'],
  [{ nodeSelector: { pool: "a/b" } }, 'nodeSelector.pool is "a/b"'],
  [{ nodeselector: {} }, 'did you mean "nodeSelector"?'],
  [{ affinity: { podAntiAffinity: {} } }, "every node that fits gets one agent"],
  [
    { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } } },
    "there is nothing to prefer",
  ],
  [terms(), `${IN_TERMS} is [], but must be at least one term`],
  [terms({ matchExpressions: [] }), `${IN_TERMS}[0].matchExpressions is []`],
  [terms({ matchFields: [] }), "nodes are chosen by their labels"],
  [expression({ key: "a", operator: "in", values: ["b"] }), '(did you mean "In"?)'],
  [expression({ key: "a", operator: "In" }), "at least one value for the operator"],
  [expression({ key: "a", operator: "Exists", values: [] }), "left out for the operator"],
  [expression({ key: "a", operator: "Gt", values: ["1", "2"] }), "exactly one whole number"],
  [expression({ key: "a", operator: "Lt", values: [later("x")] }), 'values[0] is "x", but must be a whole number'],
  [{ tolerations: [{}] }, 'tolerations[0].key is undefined, but must be given, or operator "Exists"'],
  [{ tolerations: [{ key: "a", operator: "Exists", value: "b" }] }, "tolerations[0].value"],
  [{ tolerations: [{ key: later("a b") }] }, 'tolerations[0].key is "a b"'],
  [{ tolerations: [{ key: "a", effect: "NoSchedul" }] }, '(did you mean "NoSchedule"?)'],
  [{ tolerations: [{ key: "a", tolerationSeconds: 3 }] }, "agents are not evicted after a time"],
  [{ resources: { limits: { memory: "128Mi" } } }, 'resources.limits.memory is "128Mi", but must be at least 256Mi'],
  [{ resources: { limits: { memory: later("1Gib") } } }, 'resources.limits.memory is "1Gib", but must be a quantity'],
  [{ resources: { requests: { cpu: "-1" } } }, 'resources.requests.cpu is "-1"'],
  [{ resources: { requests: { cpus: "1" } } }, 'did you mean "cpu"?'],
  [{ resources: { requests: { memory: "3Gi" } } }, "must be at most limits.memory, which is 2560Mi"],
  [{ resources: { request: {} } }, 'did you mean "requests"?'],
  [rolling(0), "updateStrategy.rollingUpdate.maxUnavailable is 0, but must be a whole number from 1"],
  [rolling("2"), "(did you mean 2, without quotes?)"],
  [rolling(later("0%")), "maxUnavailable is"],
  [rolling("101%"), "maxUnavailable is"],
  [{ updateStrategy: { type: "OnDelete" } }, "agents are always replaced by a RollingUpdate"],
  [{ updateStrategy: { rollingUpdate: { maxSurge: 1 } } }, "two agents on one node are not possible"],
  [{ priorityClassName: "" }, 'priorityClassName is ""'],
  [{ priorityClass: "network" }, 'its name is "priorityClassName"'],
  [{ volumes: [] }, "the agents' pods have exactly what the dataplane needs"],
])("Dataplane refuses %j", async (pods, sentence) => {
  await recordResources();
  const refusals = refusalsOf(() => new Dataplane("dp", { apiServer, ...pods }));
  // What the program has is refused at once, by an exception.
  expect(await refusals.catch(({ message }: Error) => message)).toContain(sentence);
});
