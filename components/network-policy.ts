import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requirePolicy } from "./inputs/policy";
import { argumentsOf } from "./inputs/refusal";
import {
  type NetworkPolicyArgs,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  type NetworkPolicyRule,
  PolicyType,
  Protocol,
} from "./network-policy-args";
import { componentType } from "./package-name";

/** A core NetworkPolicy (networking.k8s.io/v1) whose addresses, ports and directions were checked before anything is deployed. */
export class NetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    const policy = requirePolicy(argumentsOf("NetworkPolicy", name), args);
    super(componentType("NetworkPolicy"), name, args, opts);

    new k8s.networking.v1.NetworkPolicy(
      `${name}-networkpolicy`,
      {
        metadata: { name: policy.name, namespace: policy.namespace ?? "default" },
        spec: {
          podSelector: { matchLabels: policy.podSelector ?? {} },
          policyTypes: policy.policyTypes ?? directionsWithRules(policy),
          ...(policy.ingress && { ingress: policy.ingress.map((rule) => wireRule("from", rule)) }),
          ...(policy.egress && { egress: policy.egress.map((rule) => wireRule("to", rule)) }),
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

function directionsWithRules(policy: NetworkPolicyArgs): PolicyType[] {
  if (!policy.egress) return [PolicyType.Ingress];
  return policy.ingress ? [PolicyType.Ingress, PolicyType.Egress] : [PolicyType.Egress];
}

/** In the wire object an absent list means "all"; the key of the peers tells the direction. */
function wireRule(direction: "from" | "to", rule: NetworkPolicyRule) {
  return {
    ...(rule.peers && { [direction]: rule.peers.map(wirePeer) }),
    ...(rule.ports && { ports: rule.ports.map(wirePort) }),
  };
}

function wirePeer({ ipBlock, podSelector, namespaceSelector }: NetworkPolicyPeer) {
  return {
    ...(ipBlock && { ipBlock }),
    ...(podSelector && { podSelector: { matchLabels: podSelector } }),
    ...(namespaceSelector && { namespaceSelector: { matchLabels: namespaceSelector } }),
  };
}

function wirePort({ protocol = Protocol.Tcp, port }: NetworkPolicyPort) {
  return { protocol, ...(port !== undefined && { port }) };
}
