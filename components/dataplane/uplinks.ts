import type * as pulumi from "@pulumi/pulumi";

/** Whether packets are handled in the drivers of the uplinks' network cards (XDP) where that is possible. */
export enum Xdp {
  /** All packets are handled at tc. */
  Disabled = "Disabled",
  /** In drivers that have native XDP; never in the kernel's substitute for others, which is slower than tc. */
  Native = "Native",
}

/** What a Dataplane says of the nodes' interfaces that face other nodes and clients. */
export interface DeclaredUplinks {
  /** Largest packet between nodes in bytes, from 1280 to 65535. Defaults to what the node's uplink has. */
  mtu?: pulumi.Input<number>;
  /** Names of the nodes' interfaces that face other nodes and clients. Defaults to those that have the node's addresses. */
  uplinks?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Whether packets of known connections that a node forwards to a backend's node, and packets that policies have just refused, are handled in the
   * driver of the uplink's network card. An uplink where that is not possible (no native XDP, another program's XDP, a veth pair, a bond, VLANs on it, encryption)
   * stays as it is, with an Event at its Node. Measure before you keep it. A change needs no restart. Defaults to `Disabled`.
   */
  xdp?: Xdp;
}
