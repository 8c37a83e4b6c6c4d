import type { Pod } from "../../model/objects/core.ts";
import type { PodAddresses } from "../../model/objects/pod-of.ts";
import type { Allocator } from "../ipam/allocator.ts";
import type { Pool } from "../ipam/blocks-of-pool.ts";
import { interfaceIndex } from "../kernel/interface-names.ts";
import { changeNetwork } from "../kernel/rtnetlink.ts";
import { setUp } from "../network/link-requests.ts";
import { expectAcceptedFields, expectKnownPortMappings } from "./accepted-fields.ts";
import { checkEndpoint } from "./check.ts";
import type { Endpoint, EndpointStore } from "./endpoint-store.ts";
import { PLUGIN } from "./install.ts";
import { expectOnlyNetwork } from "./only-network.ts";
import { type Attachment, attachmentOf, CniCode, CniError, type CniRequest, networkOf } from "./request.ts";
import { addResult, loopbackResult } from "./results.ts";
import { type BeforeUp, createVeth, deleteVeth, LOOPBACK, openVeth, type VethPair, vethNames } from "./veth.ts";

/** The operations of the agent when a pod is created or removed. */
export interface EndpointLife {
  /** Called when an ADD begins. */
  begins(): void;
  /** Attaches the programs to a new interface. `setUp` sends its requests to the kernel and then sets the interface up. */
  created: BeforeUp;
  /** Attaches what the endpoint's interface still lacks, and resolves when its maps and policies are written. */
  ready(endpoint: Endpoint): Promise<void>;
  /** Called when the endpoint is removed, so that its entries can be deleted. */
  gone(endpoint: Endpoint): void;
}

export interface PluginOptions {
  readonly endpoints: EndpointStore;
  readonly allocator: Allocator;
  /** The pools that give the pod of an attachment its addresses. */
  readonly poolsOf: (attachment: Attachment) => Promise<readonly Pool[]>;
  readonly life: EndpointLife;
  /** The pod of an attachment, once `poolsOf` has resolved. */
  readonly podOf?: (attachment: Attachment) => Pod | undefined;
  /** Throws CniError while ADD cannot be served. */
  readonly expectReady?: () => void;
  /** Largest packet, in bytes, that a pod may send. */
  readonly mtu: () => number;
  /** Folder of the kernel's settings: "/proc/sys". */
  readonly sysctlRoot: string;
  /** Called with the time that each step of an ADD took. */
  readonly took?: (step: AddStep, seconds: number) => void;
}

/** The steps of an ADD, one after the other. */
export type AddStep = "pools" | "address" | "interface" | "policy" | "open";

/** The verbs of CNI. Each can be repeated: ADD returns the same result, and DEL of a missing endpoint succeeds. */
export class CniPlugin {
  readonly #options: PluginOptions;
  /** Interfaces that are being removed, by name. */
  readonly #ending = new Map<string, Promise<void>>();

  constructor(options: PluginOptions) {
    this.#options = options;
  }

  /** Handles one call and returns the JSON to print; undefined prints nothing. Rejects with CniError. */
  async call(request: CniRequest): Promise<object | undefined> {
    const { env, config } = request;
    if (config.type === "loopback") return this.#loopback(request);
    switch (env.CNI_COMMAND) {
      case "STATUS": // an agent that does not answer is reported by the shim
        this.#options.expectReady?.();
        return undefined;
      case "ADD":
        return addResult(config.cniVersion, await this.#add(request));
      case "DEL":
        await this.#remove(attachmentOf(request));
        return undefined;
      case "CHECK":
        await this.#check(request);
        return undefined;
      case "GC":
        await this.#collect(networkOf(request), config["cni.dev/valid-attachments"]);
        return undefined;
    }
  }

  async #add(request: CniRequest): Promise<Endpoint> {
    networkOf(request);
    this.#options.life.begins();
    const { config } = request;
    const attachment = attachmentOf(request);
    if (!attachment.netns) throw new CniError(CniCode.BAD_ENVIRONMENT, "CNI_NETNS must be set for ADD.");
    expectAcceptedFields(config);
    await expectOnlyNetwork(attachment, this.#options.endpoints.list());
    await this.#ending.get(vethNames(attachment.containerId, attachment.ifname).hostInterface);
    const present = this.#find(attachment);
    if (present && interfaceIndex(present.hostInterface) === present.ifindex) return this.#open(attachment, present);
    if (present) await this.forget(present);
    const pools = await this.#timed("pools", () => this.#options.poolsOf(attachment));
    expectKnownPortMappings(config, this.#options.podOf?.(attachment));
    const addresses = await this.#timed("address", () => this.#options.allocator.allocate(pools));
    try {
      return await this.#attach(attachment, addresses);
    } finally {
      this.#options.allocator.release(addresses);
    }
  }

  // The endpoint is stored before its interface is opened: an agent killed in between finds it and DEL removes it.
  async #attach(attachment: Attachment, addresses: PodAddresses): Promise<Endpoint> {
    const names = vethNames(attachment.containerId, attachment.ifname);
    const pair: VethPair = {
      ...names,
      netns: attachment.netns,
      ifname: attachment.ifname,
      ...addresses,
      mtu: this.#options.mtu(),
    };
    if (interfaceIndex(pair.hostInterface) !== undefined) await deleteVeth(pair.hostInterface); // left by an interrupted call
    let endpoint: Endpoint | undefined;
    try {
      const { life, sysctlRoot } = this.#options;
      const ifindex = await this.#timed("interface", () => createVeth(pair, sysctlRoot, life.created));
      endpoint = { ...attachment, ...names, ...addresses, ifindex };
      this.#options.endpoints.add(endpoint);
      return await this.#open(attachment, endpoint);
    } catch (error) {
      // Undo the previous steps. The error reports the original failure, not a failure to undo.
      try {
        await (endpoint ? this.forget(endpoint) : deleteVeth(pair.hostInterface));
      } catch {}
      throw error;
    }
  }

  // Also for a repeated ADD: the first one may have ended before the interface was open.
  async #open({ netns, ifname }: Attachment, endpoint: Endpoint): Promise<Endpoint> {
    const { life, mtu, sysctlRoot } = this.#options;
    await this.#timed("policy", () => life.ready(endpoint));
    await this.#timed("open", () => openVeth({ ...endpoint, netns, ifname, mtu: mtu() }, sysctlRoot));
    return endpoint;
  }

  async #timed<T>(step: AddStep, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      // Also counts an ADD that failed: it may have waited longest.
      this.#options.took?.(step, (performance.now() - started) / 1000);
    }
  }

  // An endpoint that was recovered from the maps is found by its interface, whose name is derived from the container's id.
  #find(attachment: Attachment): Endpoint | undefined {
    const { endpoints } = this.#options;
    const { hostInterface } = vethNames(attachment.containerId, attachment.ifname);
    return endpoints.find(attachment) ?? endpoints.list().find((one) => one.hostInterface === hostInterface);
  }

  #remove(attachment: Attachment): Promise<void> {
    const endpoint = this.#find(attachment);
    if (endpoint) return this.forget(endpoint);
    return deleteVeth(vethNames(attachment.containerId, attachment.ifname).hostInterface);
  }

  /** Removes a pod's interface, and gives back its addresses. */
  forget(endpoint: Endpoint): Promise<void> {
    const { hostInterface } = endpoint;
    const known = this.#ending.get(hostInterface);
    if (known) return known;
    const ending = this.#end(endpoint).finally(() => this.#ending.delete(hostInterface));
    this.#ending.set(hostInterface, ending);
    return ending;
  }

  async #end(endpoint: Endpoint): Promise<void> {
    await deleteVeth(endpoint.hostInterface);
    this.#options.endpoints.remove(endpoint);
    this.#options.life.gone(endpoint);
  }

  async #check(request: CniRequest): Promise<void> {
    const attachment = attachmentOf(request);
    const endpoint = this.#find(attachment);
    const name = `${attachment.namespace}/${attachment.pod} (container ${attachment.containerId})`;
    if (!endpoint) throw new CniError(CniCode.UNKNOWN_CONTAINER, `This node has no endpoint for ${name}.`);
    await checkEndpoint(attachment, endpoint, request.config.prevResult);
  }

  // Removes only attachments of this network: the list does not name those of other networks.
  async #collect(
    network: string,
    valid: readonly { containerID: string; ifname: string }[] | null | undefined,
  ): Promise<void> {
    if (!valid) {
      const message = "GC needs the list cni.dev/valid-attachments; without it every pod's interface would be removed.";
      throw new CniError(CniCode.INVALID_CONFIGURATION, message);
    }
    const keep = new Set(valid.map(({ containerID, ifname }) => vethNames(containerID, ifname).hostInterface));
    const stale = this.#options.endpoints
      .list()
      .filter((endpoint) => (endpoint.network ?? PLUGIN) === network && !keep.has(endpoint.hostInterface));
    for (const endpoint of stale) await this.forget(endpoint);
  }

  async #loopback(request: CniRequest): Promise<object | undefined> {
    const { CNI_COMMAND, CNI_NETNS } = request.env;
    if (CNI_COMMAND !== "ADD") return undefined;
    const netns = CNI_NETNS.replace(/^\/var\/run\//, "/run/");
    await changeNetwork([setUp("lo", LOOPBACK)], netns);
    return loopbackResult(request.config.cniVersion, netns);
  }
}
