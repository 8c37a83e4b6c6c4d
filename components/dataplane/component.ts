import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { kinds } from "../../model/objects/kinds.ts";
import { requireArguments } from "../arguments/arguments.ts";
import { agentSettingsSchema, SETTINGS_FILE } from "../documents/agent-settings.ts";
import { IpPool } from "../ip-pool/component.ts";
import { isForLoadBalancers } from "../ip-pool/inputs.ts";
import { NetworkPolicy } from "../network-policy/component.ts";
import { agentImage } from "../program/agent-image.ts";
import { componentType } from "../program/package-name.ts";
import { requireDocument } from "../refusal/document.ts";
import { argumentsOf, type InputPlace } from "../refusal/refusal.ts";
import { KUBE_PROXY_IMAGE } from "../release/kubernetes-release.ts";
import { resourceNames } from "../values/object-name.ts";
import { agentAccess, balancerAccess, keyAccess } from "./access.ts";
import { balancerAdmission, blockAdmission, keyAdmission, poolAdmission } from "./admission.ts";
import { agentDaemonSet } from "./agent.ts";
import { type DataplaneArgs, LogLevel, ReturnMode, ServiceHandling } from "./args.ts";
import { declarePolicies } from "./declared-policies.ts";
import { customResourceDefinition } from "./definition.ts";
import { Encryption } from "./encryption-args.ts";
import { felixConfiguration } from "./felix-configuration.ts";
import { type CheckedDataplane, requireDataplane } from "./inputs.ts";
import { KINDS } from "./kinds.ts";
import { isKubeProxyMode, type KubeProxyMode, kubeProxyObjects } from "./kube-proxy.ts";
import { monitoringObjects } from "./monitoring/objects.ts";
import { AGENT, AGENT_LABELS, AGENT_PORTS } from "./names.ts";
import { type PolicyName, policyNames } from "./policy-names.ts";
import { tierAdmission } from "./tier-admission.ts";

/**
 * This project's eBPF dataplane on every node of a cluster without kube-proxy: pod network, Services with the client's source
 * address preserved, network policies. Creates typed Kubernetes resources only, so a preview shows each of them, also when the
 * cluster does not exist yet. Goes to the cluster of the Kubernetes provider in the component's options.
 */
export class Dataplane extends pulumi.ComponentResource {
  /** Namespace of the agent. */
  readonly namespace: pulumi.Output<string>;
  /** Hash of everything that was declared, the image's digest included: a trigger for everything that depends on the dataplane. */
  readonly contentHash: pulumi.Output<string>;

  /** The agent's image. */
  readonly image: pulumi.Output<string>;
  /** Networks of the pods' addresses. */
  readonly podCidrs: pulumi.Output<string[]>;
  /** Port of the nodes where agents serve metrics (`metricsAddress`). */
  readonly metricsPort: pulumi.Output<number>;
  /** Names of the IP pools. */
  readonly ipPoolNames: pulumi.Output<string[]>;
  /** The policies that are declared with it. */
  readonly policies: pulumi.Output<PolicyName[]>;

  constructor(name: string, args: DataplaneArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("Dataplane", name);
    const given = requireDataplane(place, requireArguments(place, "Dataplane", args));
    super(componentType("Dataplane"), name, given, opts);
    const child = { parent: this };

    const namespace = agentNamespace(name, given, child);
    const definitions = KINDS.filter(
      (kind) => kind.plural !== kinds.clusterNetworkPolicies.plural || given.clusterNetworkPolicyDefinition !== false,
    ).map((kind) => customResourceDefinition(name, kind, child));
    const afterDefinitions = { parent: this, dependsOn: definitions };
    const { returnMode = ReturnMode.Dsr, serviceHandling = ServiceHandling.Ebpf } = given;
    // kube-proxy must handle services before the agents stop. If it is removed from the program, Pulumi deletes it last.
    const proxy = isKubeProxyMode(serviceHandling) ? [kubeProxy(name, serviceHandling, namespace, given, child)] : [];
    const felix = new k8s.apiextensions.CustomResource(
      `${name}-felixconfiguration`,
      felixConfiguration(returnMode, serviceHandling, {
        ...given,
        externalIPNetworks: joined(given.externalIPNetworks),
        nodePortAddresses: joined(given.nodePortAddresses),
        flowLog: given.flowLog && { ...given.flowLog, interval: inSeconds(given.flowLog.intervalSeconds) },
      }),
      { parent: this, dependsOn: [...definitions, ...proxy] },
    );
    const pools = given.ipPools.map((pool) => new IpPool(`${name}-${pool.name}`, pool, afterDefinitions));
    const policyResources = resourceNames(name, given.networkPolicies);
    const policies = given.networkPolicies.map((policy, index) => {
      const { name: own = "", aliases = [] } = policyResources[index] ?? {};
      return new NetworkPolicy(own, policy, { ...child, aliases });
    });
    const tiered = declarePolicies(name, given, namespace, afterDefinitions);
    // Made after the pools, so that a destroy takes the agents' rights before it deletes pools, which poolAdmission then allows.
    const { account, binding } = agentAccess(name, namespace, { parent: this, dependsOn: pools });
    const encrypts = given.encryption === Encryption.WireGuard;
    const publishing = encrypts ? [keyAccess(name, namespace, account, child)] : [];
    const balancing = given.loadBalancer ? balancerAccess(name, namespace, account, child) : [];
    const admission = [
      ...blockAdmission(name, namespace, child),
      poolAdmission(name, namespace, { parent: this, dependsOn: [...definitions, ...pools] }),
      tierAdmission(name, afterDefinitions),
      ...(given.loadBalancer ? balancerAdmission(name, namespace, child) : []),
      ...(encrypts ? [keyAdmission(name, namespace, child)] : []),
    ];
    const settings = settingsDocument(place, given);
    const configMap = new k8s.core.v1.ConfigMap(
      `${name}-configmap`,
      {
        metadata: { name: AGENT, namespace, labels: AGENT_LABELS },
        data: { [SETTINGS_FILE]: settings },
      },
      child,
    );
    const image = given.image ?? agentImage(given.imageRegistry);
    const daemonSet = agentDaemonSet(
      name,
      {
        namespace,
        serviceAccount: account.metadata.name,
        // Not its output: changed data replaces a ConfigMap, and with it would go every agent at once, in place of a rolling update.
        settings: AGENT,
        settingsDigest: settings.apply(sha256),
        image,
        imageDigest: given.imageDigest ?? "",
        apiServer: given.apiServer,
        metricsAddress: given.metricsAddress,
        monitoring: given.monitoring,
        pods: given,
      },
      // Policies exist before the first pod gets its network.
      {
        parent: this,
        dependsOn: [
          binding,
          configMap,
          ...balancing,
          ...publishing,
          ...admission,
          felix,
          ...definitions,
          ...pools,
          ...policies,
          ...tiered,
        ],
      },
    );
    // These objects come last, so that nodes get their network even if the cluster lacks one of the kinds.
    const afterAgents = { parent: this, dependsOn: [daemonSet] };
    if (given.monitoring) monitoringObjects(name, given.monitoring, namespace, afterAgents);
    this.namespace = daemonSet.metadata.namespace;
    this.contentHash = pulumi.unsecret(pulumi.jsonStringify({ ...given, image }).apply(sha256));
    this.image = pulumi.output(image);
    const podPools = given.ipPools.filter((pool) => !isForLoadBalancers(pool));
    this.podCidrs = pulumi.output(podPools.map(({ cidr }) => cidr));
    this.metricsPort = pulumi.output(AGENT_PORTS.metrics);
    this.ipPoolNames = pulumi.output(given.ipPools.map((pool) => pool.name));
    this.policies = pulumi.output(policyNames(given));
    const { contentHash, podCidrs, metricsPort, ipPoolNames } = this;
    this.registerOutputs({
      ...{ namespace: this.namespace, contentHash, image: this.image, podCidrs, metricsPort, ipPoolNames },
      policies: this.policies,
    });
  }
}

/** The agent's namespace, which must admit privileged pods (Pod Security Standards). */
function agentNamespace(name: string, { namespace, createNamespace }: DataplaneArgs, opts: pulumi.ResourceOptions) {
  if (namespace !== undefined && !createNamespace) return pulumi.output(namespace);
  const modes = ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "privileged"]);
  const made = new k8s.core.v1.Namespace(
    `${name}-namespace`,
    { metadata: { name: namespace ?? AGENT, labels: { ...AGENT_LABELS, ...Object.fromEntries(modes) } } },
    opts,
  );
  return made.metadata.name;
}

/** kube-proxy beside the agents; ready when its rules are written. */
function kubeProxy(
  name: string,
  mode: KubeProxyMode,
  namespace: pulumi.Input<string>,
  { apiServer, kubeProxyImage = KUBE_PROXY_IMAGE, ...pods }: DataplaneArgs,
  opts: pulumi.ResourceOptions,
) {
  const server = pulumi.output(apiServer);
  const objects = kubeProxyObjects(mode, {
    namespace,
    image: kubeProxyImage,
    apiServer: { host: server.apply(({ host }) => host), port: server.apply(({ port }) => `${port}`) },
    pods,
  });
  const account = new k8s.core.v1.ServiceAccount(`${name}-kube-proxy-serviceaccount`, objects.serviceAccount, opts);
  const binding = new k8s.rbac.v1.ClusterRoleBinding(`${name}-kube-proxy-clusterrolebinding`, objects.binding, opts);
  const configMap = new k8s.core.v1.ConfigMap(`${name}-kube-proxy-configmap`, objects.configMap, opts);
  // The namespace changes, so the pods in the former one are deleted first.
  const more = { dependsOn: [account, binding, configMap], deleteBeforeReplace: true };
  return new k8s.apps.v1.DaemonSet(`${name}-kube-proxy-daemonset`, objects.daemonSet, { ...opts, ...more });
}

function settingsDocument(
  place: InputPlace,
  {
    logLevel = LogLevel.Info,
    serviceSubnet,
    serviceSubnetIpv6,
    mtu,
    uplinks,
    ipam,
    loadBalancer,
    serviceMetrics,
  }: CheckedDataplane,
): pulumi.Output<string> {
  const settings = requireDocument(place, agentSettingsSchema, {
    logLevel,
    serviceSubnet,
    serviceSubnetIpv6,
    mtu,
    uplinks,
    ...(ipam && { ipam }),
    ...(loadBalancer && { loadBalancer }),
    ...(serviceMetrics && { serviceMetrics }),
  });
  return pulumi.jsonStringify(settings, undefined, 2);
}

/** Lists in annotations have this form. */
function joined(texts: pulumi.Input<pulumi.Input<string>[]> | undefined): pulumi.Output<string> | undefined {
  return texts && pulumi.output(texts).apply((all) => all.join(","));
}

function inSeconds(seconds: pulumi.Input<number> | undefined): pulumi.Output<string> | undefined {
  return seconds === undefined ? undefined : pulumi.interpolate`${seconds}s`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
