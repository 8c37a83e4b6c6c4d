import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";

const endpointSchema = z.object({
  containerId: z.string(),
  ifname: z.string(),
  netns: z.string(),
  namespace: z.string(),
  pod: z.string(),
  uid: z.string(),
  address: z.string(),
  mac: z.string(),
  hostMac: z.string(),
  hostInterface: z.string(),
  ifindex: z.number(),
});

const fileSchema = z.object({ endpoints: z.array(endpointSchema), freed: z.array(z.string()) });

/** A pod's interface as this node made it. */
export type Endpoint = z.infer<typeof endpointSchema>;

/** How many freed addresses are remembered: more than a block has. */
const FREED_LIMIT = 4096;

/** The endpoints of this node, in a file so that a restarted agent knows them, and in a copy of it for the day that the
 * file cannot be read. The probe reads it too. What is in memory is what is in the file. */
export class EndpointStore {
  readonly #path: string;
  #byAttachment: ReadonlyMap<string, Endpoint> = new Map();
  #freedAddresses: readonly string[] = [];
  /** What is wrong with the file, in one sentence; undefined: nothing. */
  readonly damage: string | undefined;

  constructor(path: string) {
    this.#path = path;
    const file = read(path);
    const copy = file instanceof Error || file === undefined ? read(`${path}.copy`) : undefined;
    const saved = [file, copy].find((one) => one !== undefined && !(one instanceof Error)) as Saved | undefined;
    this.#byAttachment = new Map((saved?.endpoints ?? []).map((endpoint) => [keyOf(endpoint), endpoint]));
    this.#freedAddresses = saved?.freed ?? [];
    if (file instanceof Error) {
      const instead = saved ? "its copy stands in" : "endpoints are taken from the maps";
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
    return new Set(this.list().map((endpoint) => endpoint.address));
  }

  /** Addresses that were in use once, the longest free first. */
  freed(): readonly string[] {
    return this.#freedAddresses;
  }

  /** Throws, and changes nothing, where the file cannot be written. */
  add(endpoint: Endpoint): void {
    const endpoints = new Map(this.#byAttachment).set(keyOf(endpoint), endpoint);
    this.#save(
      endpoints,
      this.#freedAddresses.filter((address) => address !== endpoint.address),
    );
  }

  /** Throws, and changes nothing, where the file cannot be written. */
  remove(endpoint: Endpoint): void {
    const endpoints = new Map(this.#byAttachment);
    if (!endpoints.delete(keyOf(endpoint))) return;
    this.#save(endpoints, [...this.#freedAddresses, endpoint.address].slice(-FREED_LIMIT));
  }

  #save(endpoints: ReadonlyMap<string, Endpoint>, freed: readonly string[]): void {
    const text = JSON.stringify({ endpoints: [...endpoints.values()], freed }, null, 1);
    for (const path of [`${this.#path}.copy`, this.#path]) {
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    }
    this.#byAttachment = endpoints;
    this.#freedAddresses = freed;
  }
}

type Saved = z.infer<typeof fileSchema>;

/** Undefined where there is no file, an Error where it is none of ours. */
function read(path: string): Saved | Error | undefined {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return error instanceof z.ZodError ? new Error("not its form") : (error as Error);
  }
}

function keyOf({ containerId, ifname }: { containerId: string; ifname: string }): string {
  return `${containerId}/${ifname}`;
}
