// The public keys of the nodes of a bare cluster, written into their Node objects as an API server would at their agents' request.
import { PUBLIC_KEY } from "../../model/encryption/encryption.ts";
import { type BareCluster, until } from "../datapath/cluster/bare-cluster.ts";
import { type NodeName, node } from "../datapath/cluster/objects.ts";

export class PublishedKeys {
  readonly #cluster: BareCluster;
  readonly #published = new Map<NodeName, string>();

  constructor(cluster: BareCluster) {
    this.#cluster = cluster;
  }

  of(name: NodeName): string | undefined {
    return this.#published.get(name);
  }

  /** The key that a node's agent wants its Node object to have. */
  async wanted(name: NodeName): Promise<string> {
    const file = JSON.parse(await this.#cluster.run(name, ["cat", "/run/ebpf-dataplane/wireguard.json"]));
    return (file.next ?? file.current).publicKey;
  }

  /** Waits for a key that was not published yet. */
  async publish(name: NodeName): Promise<void> {
    const before = this.#published.get(name);
    let key = before;
    await until(
      `the agent of ${name} to make a key`,
      async () => {
        key = await this.wanted(name).catch(() => before);
        return key !== before;
      },
      () => this.#cluster.log(name),
    );
    this.#published.set(name, key ?? "");
    this.#apply(name, { [PUBLIC_KEY]: key ?? "" });
  }

  /** As a person who removes the annotation. */
  withdraw(name: NodeName): void {
    this.#apply(name, {});
  }

  #apply(name: NodeName, annotations: Record<string, string>): void {
    const object = node(name, undefined, "dual");
    this.#cluster.apply({ ...object, metadata: { ...object.metadata, annotations } });
  }
}
