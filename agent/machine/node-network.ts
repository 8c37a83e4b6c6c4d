import { type Family, familyOf } from "../../model/address/address.ts";
import { type Encapsulating, encapsulationOverhead, mtuWithinEncryption } from "../../model/pool/encapsulation.ts";
import type { Endpoint } from "../cni/endpoint-store.ts";
import { followMtu } from "../cni/pod-mtu.ts";
import type { Route } from "../compile/desired.ts";
import type { OwnRequests } from "../compile/own-requests.ts";
import type { NodeFacts } from "../compile/snapshot.ts";
import { interfaceName } from "../kernel/interface-names.ts";
import { namespaceCookie } from "../kernel/network-namespace.ts";
import { type NetworkDevice, networkDevicesSoon } from "../network/devices.ts";
import { changeEndpointRoutes } from "../network/endpoint-routes.ts";
import { reconcileNeighbours } from "../network/neighbours.ts";
import { reconcileOwnRequests } from "../network/own-requests.ts";
import { type RouteConflict, type RouteContext, reconcileRoutes } from "../network/routes.ts";
import {
  applySysctls,
  deviceSysctls,
  forgetGone,
  nodeIpv6Sysctls,
  nodeSysctls,
  ownRequestSysctls,
  podIpv6Sysctls,
  type Sysctls,
  uplinkIpv6Sysctls,
} from "../network/sysctls.ts";
import { ensureTunnel, TUNNEL_DEVICE } from "../network/tunnel.ts";
import { findUplinks, type Uplinks } from "../network/uplinks.ts";
import { ensureWireguard, removeWireguard, WIREGUARD_DEVICE } from "../network/wireguard.ts";
import type { NodeAddresses } from "./node-address.ts";

export interface NodeNetworkOptions {
  readonly nodeName: string;
  readonly uplinks: readonly string[];
  /** Bytes; undefined: the uplink's. */
  readonly mtu: number | undefined;
  /** Their folder, and the file with their previous values. */
  readonly sysctls: { readonly root: string; readonly memory: string };
  readonly serviceSubnet: string;
  readonly serviceSubnetIpv6: string | undefined;
  readonly apiServer: NodeFacts["apiServer"];
  readonly salt: string;
  readonly loadBalancer: boolean;
  readonly countsServices: boolean;
}

/** Finds and prepares this machine's interfaces for the dataplane, and checks them periodically. */
export class NodeNetwork {
  readonly #options: NodeNetworkOptions;
  /** The pools in force. */
  pools: () => readonly Encapsulating[] = () => [];
  /** Whether packets between nodes are to be encrypted; followed by refresh(). */
  encrypts: () => boolean = () => false;
  /** Why there is no device for encryption although packets are to be encrypted. */
  encryptionFailure: string | undefined;
  #devices: readonly NetworkDevice[] = [];
  #uplinks: Uplinks | undefined;
  readonly #namespaceCookie = namespaceCookie();
  #lastFacts: NodeFacts | undefined;
  /** The routes to nodes whose neighbor entries are kept. Routes of pods are not included. */
  #kept = "";
  #led = ""; // the routes of SCTP that were written last, and whether the kernel still has them
  #isLedKnown = false;
  #leadsLoopback = false;
  /** The routes that this agent has written to the kernel; undefined: not known. */
  #written: readonly Route[] | undefined;
  /** Whether to read the routes from the kernel. */
  #asksForRoutes = true;

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
  }

  /** Checks the interfaces, creates the tunnel device and sets the sysctls. Returns the facts; the same
   * object as before if nothing changed, because the compiler caches by object. */
  async refresh({ underlay: nodeAddress, ipv6 }: NodeAddresses): Promise<NodeFacts> {
    this.#devices = await networkDevicesSoon();
    this.#kept = "";
    this.#isLedKnown = false;
    this.#asksForRoutes = true;
    this.#uplinks = findUplinks(this.#devices, nodeAddress, this.#options.uplinks);
    if (!this.tunnel || this.tunnel.mtu !== this.mtu || !this.tunnel.up) {
      ensureTunnel(this.#devices, this.mtu);
      this.#devices = await networkDevicesSoon();
    }
    await this.#followEncryption(familyOf(nodeAddress) ?? "IPv4");
    const facts = this.#facts(nodeAddress, ipv6);
    this.#prepareNode(facts);
    if (JSON.stringify(facts) !== JSON.stringify(this.#lastFacts)) this.#lastFacts = facts;
    return this.#lastFacts as NodeFacts;
  }

  async #followEncryption(family: Family): Promise<void> {
    const before = this.wireguard;
    if (this.encrypts()) this.encryptionFailure = ensureWireguard(this.#devices, this.mtu, family);
    else {
      this.encryptionFailure = undefined;
      removeWireguard(this.#devices);
    }
    if (this.encrypts() || before) this.#devices = await networkDevicesSoon();
  }

  /** Sets the sysctls of a pod's interface. */
  prepare(device: string): void {
    const ipv6 = this.families.includes("IPv6") ? podIpv6Sysctls(device) : [];
    this.#set(new Map([...deviceSysctls(device), ...ipv6]));
  }

  #prepareNode(facts: NodeFacts): void {
    const { root, memory } = this.#options.sysctls;
    forgetGone(memory, root);
    const isIpv6 = facts.addressIpv6 !== undefined;
    this.#set(nodeSysctls());
    if (isIpv6) this.#set(nodeIpv6Sysctls(root));
    const wireguard = this.wireguard ? [this.wireguard] : [];
    for (const { name } of [...(this.#uplinks as Uplinks).all, this.tunnel as NetworkDevice, ...wireguard]) {
      this.#set(deviceSysctls(name));
      if (isIpv6) this.#set(uplinkIpv6Sysctls(name, root));
    }
  }

  #set(wanted: Sysctls): void {
    const { memory, root } = this.#options.sysctls;
    applySysctls(wanted, memory, root);
  }

  get mtu(): number {
    return this.#options.mtu ?? this.#uplinks?.primary.mtu ?? 1500;
  }

  /** The largest packet that a pod may send: it must fit the link after the encapsulation that the pools can give it. */
  get podMtu(): number {
    return this.#mtuForWrapped - encapsulationOverhead(this.pools(), this.#family);
  }

  /** The largest wrapped packet that still fits the link once it is encrypted. */
  get #mtuForWrapped(): number {
    return this.encrypts() ? mtuWithinEncryption(this.mtu, this.#family) : this.mtu;
  }

  get #family(): Family {
    return familyOf(this.#lastFacts?.address ?? "") ?? "IPv4";
  }

  /** Gives running pods another MTU, without a restart. @returns how many */
  async followMtu(endpoints: readonly Endpoint[], mtu: number): Promise<number> {
    return followMtu(endpoints, await networkDevicesSoon(), mtu);
  }

  /** The families of which this node, and so its pods, have an address. */
  get families(): readonly Family[] {
    const { address = "", addressIpv6 } = this.#lastFacts ?? {};
    const isIpv4 = familyOf(address) === "IPv4";
    return [...(isIpv4 ? ["IPv4" as const] : []), ...(addressIpv6 !== undefined ? ["IPv6" as const] : [])];
  }

  get uplinkDevices(): readonly NetworkDevice[] {
    return this.#uplinks?.all ?? [];
  }

  /** All devices of this machine, as they were last seen. */
  get devices(): readonly NetworkDevice[] {
    return this.#devices;
  }

  get tunnel(): NetworkDevice | undefined {
    return this.#devices.find(({ name }) => name === TUNNEL_DEVICE);
  }

  get wireguard(): NetworkDevice | undefined {
    return this.#devices.find(({ name, kind }) => name === WIREGUARD_DEVICE && kind === "wireguard");
  }

  /** Sends SCTP of this node's processes to Services through the packet path. @returns why that is not possible */
  async lead({ addresses, atNode }: OwnRequests, { address, addressIpv6 }: NodeFacts): Promise<string | undefined> {
    this.#leadsLoopback = atNode;
    const sources = new Set([address, addressIpv6].flatMap((source) => source ?? []));
    const contexts = [...sources].map((source) => ({ source, mtu: this.podMtu }));
    const text = JSON.stringify([addresses, atNode, contexts]);
    if (text === this.#led && (this.#isLedKnown || addresses.length === 0)) return undefined;
    try {
      this.#set(ownRequestSysctls(TUNNEL_DEVICE, { ofServices: addresses.length > 0, atNode }));
      await reconcileOwnRequests(addresses, contexts);
      [this.#led, this.#isLedKnown] = [text, true];
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return undefined;
  }

  /** The device by which this node reaches its own addresses, while the packet path has ports there. */
  get loopback(): NetworkDevice | undefined {
    return this.#leadsLoopback ? this.#devices.find(({ name }) => name === "lo") : undefined;
  }

  /** Writes the changes of the routes to pods: a pod waits for its own. @returns false: other routes have changed too; call route() */
  async routePods(routes: readonly Route[], facts: NodeFacts): Promise<boolean> {
    const before = this.#written;
    this.#written = undefined;
    if (before && (await changeEndpointRoutes(before, routes, this.#routeContext(facts)))) this.#written = routes;
    return this.#written !== undefined;
  }

  /** Writes the routes that differ, and the neighbor entries of their next hops. Returns the routes that conflict with
   * others. */
  async route(routes: readonly Route[], facts: NodeFacts): Promise<readonly RouteConflict[]> {
    const toNodes = routes.filter(({ to }) => to === "node");
    const text = JSON.stringify(toNodes);
    if (this.#uplinks && text !== this.#kept) {
      await reconcileNeighbours(toNodes, this.#uplinks);
      this.#kept = text;
    }
    if ((await this.routePods(routes, facts)) && !this.#asksForRoutes) return [];
    this.#asksForRoutes = false;
    this.#written = undefined;
    const { conflicts } = await reconcileRoutes(routes, this.#routeContext(facts));
    if (conflicts.length === 0) this.#written = routes;
    return conflicts;
  }

  #routeContext({ address: nodeAddress, addressIpv6: nodeAddressIpv6 }: NodeFacts): RouteContext {
    return { nodeAddress, nodeAddressIpv6, mtu: this.#mtuForWrapped, deviceName: interfaceName };
  }

  #facts(address: string, ipv6: string | undefined): NodeFacts {
    const uplinks = this.#uplinks as Uplinks;
    const own = this.#devices.flatMap((device) => device.addresses.map((entry) => entry.address));
    return {
      nodeName: this.#options.nodeName,
      address,
      ...(ipv6 && own.includes(ipv6) && { addressIpv6: ipv6 }),
      subnets: uplinks.subnets,
      localAddresses: own.filter((other) => other !== address),
      serviceSubnet: this.#options.serviceSubnet,
      serviceSubnetIpv6: this.#options.serviceSubnetIpv6,
      apiServer: this.#options.apiServer,
      uplinkIfindex: uplinks.primary.ifindex,
      uplinks: uplinks.all.map(({ name, ifindex, addresses }) => ({
        name,
        ifindex,
        addresses: addresses.map((entry) => entry.address),
      })),
      tunnelIfindex: this.tunnel?.ifindex ?? 0,
      ...(this.wireguard && { wireguardIfindex: this.wireguard.ifindex }),
      namespaceCookie: this.#namespaceCookie,
      salt: this.#options.salt,
      loadBalancer: this.#options.loadBalancer,
      countsServices: this.#options.countsServices,
    };
  }
}
