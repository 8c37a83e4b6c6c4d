import { ApiRefusal, isRefusal } from "./errors.ts";
import { getObject } from "./get.ts";
import type { ApiObject } from "./object.ts";
import type { Api } from "./transport.ts";

interface ApiResource {
  name: string;
  kind: string;
  namespaced: boolean;
  verbs?: string[];
}

/** A kind whose objects can be listed and deleted. */
export interface DeletableKind extends ApiResource {
  /** `/apis/apps/v1` */
  groupPath: string;
}

/** The API server has no such kind: its definition may still come. */
export class UnknownKind extends ApiRefusal {
  constructor(kind: string, apiVersion: string) {
    super(404, "UnknownKind", `the cluster has no kind ${kind} in ${apiVersion}`);
  }
}

/** Finds the REST path of objects by asking the API server which kinds it has. What it has once is remembered. */
export class Discovery {
  readonly #api: Api;
  readonly #groups = new Map<string, ApiResource[]>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** Path of an object, e.g. `/apis/apps/v1/namespaces/default/deployments/nginx`. @throws UnknownKind */
  async path({
    apiVersion = "",
    kind = "",
    metadata,
  }: Pick<ApiObject, "apiVersion" | "kind" | "metadata">): Promise<string> {
    const { name, namespaced } = await this.#resource(apiVersion, kind);
    const namespace = namespaced ? `/namespaces/${encodeURIComponent(metadata?.namespace ?? "default")}` : "";
    return `${groupPath(apiVersion)}${namespace}/${name}/${encodeURIComponent(metadata?.name ?? "")}`;
  }

  /** Every kind of which objects can be listed and deleted, in its group's preferred version. */
  async deletable(): Promise<DeletableKind[]> {
    const { groups = [] } = await getObject<{ groups?: { preferredVersion: { groupVersion: string } }[] }>(
      this.#api,
      "/apis",
    );
    const versions = ["v1", ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion)];
    const kinds = await Promise.all(
      versions.map(async (version) => {
        // An extension server that is down says nothing about its own kinds, and nothing about the others.
        const resources = await this.#kindsOf(version).catch(() => []);
        return resources.map((resource) => ({ ...resource, groupPath: groupPath(version) }));
      }),
    );
    const wanted = ["list", "delete"];
    return kinds
      .flat()
      .filter(({ name, verbs = [] }) => !name.includes("/") && wanted.every((verb) => verbs.includes(verb)));
  }

  async #resource(apiVersion: string, kind: string): Promise<ApiResource> {
    const isWanted = (resource: ApiResource) => resource.kind === kind && !resource.name.includes("/");
    const known = this.#groups.get(apiVersion)?.find(isWanted);
    if (known) return known;
    const resources = await this.#kindsOf(apiVersion);
    const found = resources.find(isWanted);
    if (!found) throw new UnknownKind(kind, apiVersion);
    this.#groups.set(apiVersion, resources);
    return found;
  }

  async #kindsOf(apiVersion: string): Promise<ApiResource[]> {
    try {
      return (await getObject<{ resources: ApiResource[] }>(this.#api, groupPath(apiVersion))).resources;
    } catch (error) {
      if (isRefusal(error, 404)) return [];
      throw error;
    }
  }
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
