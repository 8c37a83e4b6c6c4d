import { readFileSync } from "node:fs";
import { z } from "zod";
import { addressesOf } from "../../model/objects/pod-of.ts";
import type { FreedAddress } from "../ipam/free-addresses.ts";
import type { Lending } from "../ipam/held-blocks.ts";
import { replacePrivately } from "../run-folder/private-files.ts";

const endpointSchema = z.object({
  containerId: z.string(),
  ifname: z.string(),
  /** Name of the network configuration. Absent in files of older agents. */
  network: z.string().optional(),
  netns: z.string(),
  namespace: z.string(),
  pod: z.string(),
  uid: z.string(),
  address: z.string(),
  /** Absent in files of agents that gave pods only one address. */
  secondAddress: z.string().optional(),
  mac: z.string(),
  hostMac: z.string(),
  hostInterface: z.string(),
  ifindex: z.number(),
});

const fileSchema = z.object({
  endpoints: z.array(endpointSchema),
  freed: z.array(z.string()),
  /** When each of them was freed, in the same order. Absent in files of older agents. */
  freedAt: z.array(z.number()).optional(),
  /** Names of blocks that are being given back. */
  leaving: z.array(z.string()).optional(),
  /** Addresses of this node's blocks that it lends to other nodes. */
  lending: z.array(z.object({ address: z.string(), request: z.string() })).optional(),
});

/** A pod's interface on this node. */
export type Endpoint = z.infer<typeof endpointSchema>;

/** The number of freed addresses to remember: more than a block has. */
const FREED_LIMIT = 4096;

/** The endpoints of this node, in a file for a restarted agent, and in a copy in case the file cannot
 * be read. The probe reads the file too. Memory and file have the same content. */
export class EndpointStore {
  readonly #path: string;
  #byAttachment: ReadonlyMap<string, Endpoint> = new Map();
  #freedAddresses: readonly FreedAddress[] = [];
  #leaving: readonly string[] = [];
  #lending: readonly Lending[] = [];
  readonly #now: () => number;
  /** The problem with the file, in one sentence; undefined: none. */
  readonly damage: string | undefined;

  /** @param now milliseconds since 1970 */
  constructor(path: string, now: () => number = Date.now) {
    this.#path = path;
    this.#now = now;
    const file = read(path);
    const copy = file instanceof Error || file === undefined ? read(`${path}.copy`) : undefined;
    const saved = [file, copy].find((one) => one !== undefined && !(one instanceof Error)) as Saved | undefined;
    this.#byAttachment = new Map((saved?.endpoints ?? []).map((endpoint) => [keyOf(endpoint), endpoint]));
    this.#freedAddresses = (saved?.freed ?? []).map((address, place) => ({
      address,
      at: saved?.freedAt?.[place] ?? 0,
    }));
    this.#leaving = saved?.leaving ?? [];
    this.#lending = saved?.lending ?? [];
    if (file instanceof Error) {
      const instead = saved ? "using its copy" : "recovering endpoints from the maps";
      this.damage = `${path} cannot be read (${file.message.split("\n")[0]}): ${instead}`;
    }
  }

  list(): Endpoint[] {
    return [...this.#byAttachment.values()];
  }

  find(attachment: { containerId: string; ifname: string }): Endpoint | undefined {
    return this.#byAttachment.get(keyOf(attachment));
  }

  used(): ReadonlySet<string> {
    return new Set(this.list().flatMap(addressesOf));
  }

  /** Addresses that were in use before, the longest free first. */
  freed(): readonly FreedAddress[] {
    return this.#freedAddresses;
  }

  /** Throws, and changes nothing, if the file cannot be written. */
  add(endpoint: Endpoint): void {
    const endpoints = new Map(this.#byAttachment).set(keyOf(endpoint), endpoint);
    const used = addressesOf(endpoint);
    this.#save(
      endpoints,
      this.#freedAddresses.filter(({ address }) => !used.includes(address)),
    );
  }

  /** Throws, and changes nothing, if the file cannot be written. */
  remove(endpoint: Endpoint): void {
    const endpoints = new Map(this.#byAttachment);
    if (!endpoints.delete(keyOf(endpoint))) return;
    const at = this.#now();
    const freed = addressesOf(endpoint).map((address) => ({ address, at }));
    this.#save(endpoints, [...this.#freedAddresses, ...freed].slice(-FREED_LIMIT));
  }

  leaving(): readonly string[] {
    return this.#leaving;
  }

  /** Throws, and changes nothing, if the file cannot be written. */
  setLeaving(names: readonly string[]): void {
    this.#save(this.#byAttachment, this.#freedAddresses, names);
  }

  lending(): readonly Lending[] {
    return this.#lending;
  }

  /** Throws, and changes nothing, if the file cannot be written. */
  setLending(all: readonly Lending[]): void {
    this.#save(this.#byAttachment, this.#freedAddresses, this.#leaving, all);
  }

  #save(
    endpoints: ReadonlyMap<string, Endpoint>,
    freed: readonly FreedAddress[],
    leaving: readonly string[] = this.#leaving,
    lending: readonly Lending[] = this.#lending,
  ): void {
    const saved: Saved = {
      endpoints: [...endpoints.values()],
      freed: freed.map(({ address }) => address),
      freedAt: freed.map(({ at }) => at),
      leaving: [...leaving],
      lending: [...lending],
    };
    const text = JSON.stringify(saved, null, 1);
    for (const path of [`${this.#path}.copy`, this.#path]) replacePrivately(path, text);
    this.#byAttachment = endpoints;
    this.#freedAddresses = freed;
    this.#leaving = leaving;
    this.#lending = lending;
  }
}

type Saved = z.infer<typeof fileSchema>;

/** Undefined if there is no file, an Error if it is not a valid endpoint file. */
function read(path: string): Saved | Error | undefined {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return error instanceof z.ZodError ? new Error("invalid content") : (error as Error);
  }
}

function keyOf({ containerId, ifname }: { containerId: string; ifname: string }): string {
  return `${containerId}/${ifname}`;
}
