// Definitions (CustomResourceDefinition) whose names others use too: never taken over, and not deleted while they hold objects.
import { type StoredDefinition, strangerOf } from "../../components/dataplane/definition-owner.ts";
import { CALICO_API } from "../../components/dataplane/names.ts";
import { RunnerFailure } from "../failure.ts";
import { type ApiObject, ApiRefusal, type ApiServer } from "./api-server.ts";

const [SHARED_GROUP] = CALICO_API.split("/");

export const isDefinition = ({ kind }: { kind?: string }): boolean => kind === "CustomResourceDefinition";

/** Refuses to apply a definition over somebody else's. */
export async function refuseStrangers(server: ApiServer, path: string): Promise<void> {
  const live = await find(server, path);
  const stranger = live && strangerOf(live as StoredDefinition);
  if (!stranger) return;
  const name = live.metadata?.name;
  throw new RunnerFailure(`the definition ${name} is there already and belongs to ${stranger}; it is left as it is`, {
    next: `if what it belongs to is gone for good, save its objects (kubectl get ${name} -o yaml), then kubectl delete crd ${name}`,
  });
}

/** Why a definition of a shared group is not deleted; undefined: it may go. */
export async function whyKept(server: ApiServer, path: string): Promise<string | undefined> {
  const live = await find(server, path);
  const { group, names, versions } = (live?.spec ?? {}) as Definition;
  if (!live || group !== SHARED_GROUP) return undefined;
  const stranger = strangerOf(live as StoredDefinition);
  if (stranger) return `it belongs to ${stranger}`;
  const list = await find(server, `/apis/${group}/${versions[0]?.name}/${names.plural}?limit=1`);
  return ((list?.items ?? []) as unknown[]).length > 0 ? "it holds objects that are not this stack's" : undefined;
}

interface Definition {
  group: string;
  names: { plural: string };
  versions: { name: string }[];
}

async function find(server: ApiServer, path: string): Promise<ApiObject | undefined> {
  return server.send("GET", path).catch((error: unknown) => {
    if (error instanceof ApiRefusal && error.status === 404) return undefined;
    throw error;
  });
}
