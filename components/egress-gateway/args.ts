import type * as pulumi from "@pulumi/pulumi";

/** The node from which some pods leave the cluster: hosts outside see an address of that node as their client. */
export interface EgressGatewaySpec {
  /** Name of the object. Of two objects that select a pod, the first by name counts. */
  name: string;
  /** Namespaces of the pods, in Calico's selector language: "kubernetes.io/metadata.name == 'shop'". Defaults to all namespaces. */
  namespaceSelector?: pulumi.Input<string>;
  /** The pods, in Calico's selector language: "app == 'mail'". Defaults to all of `namespaceSelector`; one of both is needed. */
  podSelector?: pulumi.Input<string>;
  /** Nodes that may be the gateway: it is the first by name that is ready. In Calico's selector language: "has(egress)". */
  nodeSelector: pulumi.Input<string>;
  /** Networks outside the cluster that the pods reach through the gateway. Defaults to all addresses outside. */
  destinations?: pulumi.Input<string>[];
  /** Networks within `destinations` that the pods reach as their pool says. Defaults to none. */
  exceptions?: pulumi.Input<string>[];
  /** The addresses that hosts outside see, at most one of each family; the gateway must have them. Defaults to the address of the uplink that leads there. */
  addresses?: pulumi.Input<string>[];
}

/** Egress gateways that are declared with a dataplane. */
export interface DeclaredEgress {
  /** The nodes from which pods leave the cluster, if not from their own. Defaults to none. */
  egressGateways?: EgressGatewaySpec[];
}

/** Arguments of `EgressGateway`. */
export interface EgressGatewayArgs extends EgressGatewaySpec {}
