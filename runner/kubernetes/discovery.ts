import { setTimeout as sleep } from "node:timers/promises";
import { RunnerFailure } from "../failure.ts";
import { type ApiObject, ApiRefusal, type ApiServer } from "./api-server.ts";

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

/** A kind that was just defined is not known at once; this many seconds are enough for the API server to notice. */
const NEW_KIND_SECONDS = 15;

/** Finds the REST path of objects by asking the API server which kinds it has. */
export class Discovery {
  readonly #server: ApiServer;
  readonly #groups = new Map<string, ApiResource[]>();

  constructor(server: ApiServer) {
    this.#server = server;
  }

  /** Path of an object, e.g. `/apis/apps/v1/namespaces/default/deployments/nginx`. */
  async path(object: ApiObject): Promise<string> {
    const { apiVersion = "", kind = "", metadata } = object;
    const resource = await this.#resource(apiVersion, kind);
    const namespace = resource.namespaced ? `/namespaces/${metadata?.namespace ?? "default"}` : "";
    return `${groupPath(apiVersion)}${namespace}/${resource.name}/${metadata?.name}`;
  }

  /** Every kind of which objects can be listed and deleted, in its group's preferred version. */
  async deletable(): Promise<DeletableKind[]> {
    const { groups = [] } = (await this.#server.send("GET", "/apis")) as {
      groups?: { preferredVersion: { groupVersion: string } }[];
    };
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
    for (let second = 0; second < NEW_KIND_SECONDS; second++) {
      const known = this.#groups.get(apiVersion) ?? (await this.#kindsOf(apiVersion));
      const resource = known.find((candidate) => candidate.kind === kind && !candidate.name.includes("/"));
      if (resource) {
        this.#groups.set(apiVersion, known);
        return resource;
      }
      this.#groups.delete(apiVersion);
      await sleep(1000);
    }
    const next = "check apiVersion and kind, and that its CustomResourceDefinition comes first (dependsOn)";
    throw new RunnerFailure(`the API server has no kind ${kind} in ${apiVersion}`, { next });
  }

  async #kindsOf(apiVersion: string): Promise<ApiResource[]> {
    try {
      return (await this.#server.send("GET", groupPath(apiVersion))).resources as ApiResource[];
    } catch (error) {
      if (error instanceof ApiRefusal && error.status === 404) return [];
      throw error;
    }
  }
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
