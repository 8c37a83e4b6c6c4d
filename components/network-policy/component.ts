import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import { type NetworkPolicyArgs, type NetworkPolicyPort, Protocol } from "./args.ts";
import { requirePolicy } from "./inputs.ts";

/** A core NetworkPolicy (networking.k8s.io/v1) whose addresses, ports and directions were checked before anything is deployed. */
export class NetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("NetworkPolicy", name);
    const policy = requirePolicy(place, requireArguments(place, "NetworkPolicy", args));
    super(componentType("NetworkPolicy"), name, policy, opts);

    const { podSelector, policyTypes, ingress, egress } = policy;
    new k8s.networking.v1.NetworkPolicy(
      `${name}-networkpolicy`,
      {
        metadata: { name: policy.name, namespace: policy.namespace },
        spec: {
          podSelector,
          policyTypes,
          ...(ingress && { ingress: ingress.map(withProtocols) }),
          ...(egress && { egress: egress.map(withProtocols) }),
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

function withProtocols<Rule extends { ports?: NetworkPolicyPort[] }>(rule: Rule): Rule {
  return rule.ports ? { ...rule, ports: rule.ports.map((port) => ({ protocol: Protocol.Tcp, ...port })) } : rule;
}
