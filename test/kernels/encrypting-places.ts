// Where the two nodes that encrypt are, in each address family: a router between them, one pod on each.
import type { Family } from "../../model/address/address.ts";

export type EncryptingName = "a" | "b";

interface Places {
  readonly nodes: Readonly<Record<EncryptingName, string>>;
  readonly routers: Readonly<Record<EncryptingName, string>>;
  /** Of the networks of nodes, and of pods. */
  readonly lengths: { readonly node: number; readonly pod: number };
  readonly pods: Readonly<Record<EncryptingName, string>>;
  readonly podRouter: string;
  readonly pool: { readonly cidr: string; readonly blockSize: number };
  readonly blocks: Readonly<Record<EncryptingName, string>>;
  /** Bytes that VXLAN and WireGuard add between these nodes. */
  readonly headers: number;
}

export const PLACES: Readonly<Record<Family, Places>> = {
  IPv4: {
    nodes: { a: "192.0.2.2", b: "198.51.100.2" },
    routers: { a: "192.0.2.1", b: "198.51.100.1" },
    lengths: { node: 24, pod: 32 },
    pods: { a: "10.244.0.2", b: "10.244.1.2" },
    podRouter: "169.254.1.1",
    pool: { cidr: "10.244.0.0/16", blockSize: 26 },
    blocks: { a: "10.244.0.0/26", b: "10.244.1.0/26" },
    headers: 50 + 60,
  },
  IPv6: {
    nodes: { a: "2001:db8:a::2", b: "2001:db8:b::2" },
    routers: { a: "2001:db8:a::1", b: "2001:db8:b::1" },
    lengths: { node: 64, pod: 128 },
    pods: { a: "fd00:10:244::2", b: "fd00:10:244:1::2" },
    podRouter: "fe80::1",
    pool: { cidr: "fd00:10:244::/56", blockSize: 122 },
    blocks: { a: "fd00:10:244::/122", b: "fd00:10:244:1::/122" },
    headers: 70 + 80 + 12, // so that WireGuard has nothing to fill up: 1408 is a multiple of 16
  },
};

/** Of the network namespaces of a node, its pod, the router. */
export const placeName = (family: Family, name: EncryptingName | "wire"): string =>
  family === "IPv4" ? name : `${name}6`;
export const podPlace = (family: Family, name: EncryptingName): string => `pod-${placeName(family, name)}`;
