import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
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

/** The endpoints of this node, in a file so that a restarted agent knows them. The probe reads it too. */
export class EndpointStore {
  private readonly path: string;
  private readonly byAttachment: Map<string, Endpoint>;
  private freedAddresses: string[];

  constructor(path: string) {
    this.path = path;
    const saved = existsSync(path)
      ? fileSchema.parse(JSON.parse(readFileSync(path, "utf8")))
      : { endpoints: [], freed: [] };
    this.byAttachment = new Map(saved.endpoints.map((endpoint) => [keyOf(endpoint), endpoint]));
    this.freedAddresses = saved.freed;
  }

  list(): Endpoint[] {
    return [...this.byAttachment.values()];
  }

  find(attachment: { containerId: string; ifname: string }): Endpoint | undefined {
    return this.byAttachment.get(keyOf(attachment));
  }

  used(): ReadonlySet<string> {
    return new Set(this.list().map((endpoint) => endpoint.address));
  }

  /** Addresses that were in use once, the longest free first. */
  freed(): readonly string[] {
    return this.freedAddresses;
  }

  add(endpoint: Endpoint): void {
    this.byAttachment.set(keyOf(endpoint), endpoint);
    this.freedAddresses = this.freedAddresses.filter((address) => address !== endpoint.address);
    this.save();
  }

  remove(endpoint: Endpoint): void {
    if (!this.byAttachment.delete(keyOf(endpoint))) return;
    this.freedAddresses = [...this.freedAddresses, endpoint.address].slice(-FREED_LIMIT);
    this.save();
  }

  private save(): void {
    writeFileSync(`${this.path}.new`, JSON.stringify({ endpoints: this.list(), freed: this.freedAddresses }, null, 1));
    renameSync(`${this.path}.new`, this.path);
  }
}

function keyOf({ containerId, ifname }: { containerId: string; ifname: string }): string {
  return `${containerId}/${ifname}`;
}
