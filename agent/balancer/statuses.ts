import { isRefusal } from "../../kubernetes/errors.ts";
import { patchObject } from "../../kubernetes/patch.ts";
import type { Api } from "../../kubernetes/transport.ts";
import type { StatusChange } from "../../model/service/balancer/claimants.ts";

/** Writes load balancer addresses to the statuses of Services, and no other field. */
export class Statuses {
  readonly #api: Api;
  /** Statuses that were written and that the Service does not show yet: a change is written once. */
  readonly #written = new Map<string, string>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** @throws KubernetesError; a status that was not written is tried again at the next call */
  async write(changes: readonly StatusChange[]): Promise<void> {
    const names = new Set(changes.map(({ namespace, name }) => `${namespace}/${name}`));
    for (const key of this.#written.keys()) if (!names.has(key)) this.#written.delete(key);
    for (const { namespace, name, addresses } of changes) {
      const [key, text] = [`${namespace}/${name}`, addresses.join()];
      if (this.#written.get(key) === text) continue;
      const ingress = addresses.map((ip) => ({ ip, ipMode: "VIP" }));
      const path = `/api/v1/namespaces/${namespace}/services/${name}/status`;
      try {
        await patchObject(this.#api, path, { status: { loadBalancer: { ingress } } }, "ebpf-dataplane");
      } catch (error) {
        if (!isRefusal(error, 404)) throw error; // deleted meanwhile
      }
      this.#written.set(key, text);
    }
  }
}
