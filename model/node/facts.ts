import type { Address } from "../address/address.ts";

/** What no API object tells: a machine as it finds itself. */
export interface NodeFacts {
  readonly nodeName: string;
  /** This node's address towards the other nodes. */
  readonly address: Address;
  /** The subnets this node's uplinks stand in ("172.31.1.0/24"): other nodes in them need no tunnel when CrossSubnet. */
  readonly subnets: readonly string[];
  /** Every further address of this machine, its tunnel device's for instance. */
  readonly localAddresses: readonly Address[];
  /** The network that Services' addresses come from. */
  readonly serviceSubnet: string;
  /** Where the API server is reached; undefined without one, or while only a name of it is known. */
  readonly apiServer?: { readonly address: Address; readonly port: number } | undefined;
}
