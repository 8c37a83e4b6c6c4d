import { setTimeout as sleep } from "node:timers/promises";
import type { ResourceReport } from "../terminal.ts";
import { type ApiObject, ApiRefusal } from "./api-server.ts";
import { type Cluster, FIELD_MANAGER } from "./apply.ts";
import { isDefinition, whyKept } from "./definitions.ts";
import { STACK_LABEL } from "./stack-label.ts";

/** An object that earlier runs made, and where it is. */
interface Leftover {
  kind: string;
  path: string;
  uid: string;
  /** `ebpf-dataplane/kube-proxy`, for people. */
  name: string;
}

interface Metadata {
  name: string;
  namespace?: string;
  uid: string;
  deletionTimestamp?: string;
  ownerReferences?: { controller?: boolean }[];
  managedFields?: { manager?: string; operation?: string }[];
}

const POLL = 300;
/** Milliseconds that an object may take to go. */
const GONE_TIMEOUT = 2 * 60_000;

/** What depends on others goes before them; kinds that take others with them go last. */
const FIRST = ["DaemonSet", "Deployment", "StatefulSet", "Job", "Pod"];
const LAST = ["ServiceAccount", "ConfigMap", "Secret", "Namespace", "CustomResourceDefinition"];

/**
 * Removes what earlier runs of this stack made and this run did not: objects with the stack's label, applied by this runner's
 * field manager, that no controller owns. Nothing else is ever touched.
 * @returns how many were removed
 */
export async function prune(
  cluster: Cluster,
  label: string,
  report: (title: string) => ResourceReport,
): Promise<number> {
  const leftovers = (await labelled(cluster, label)).sort((one, other) => rank(one) - rank(other));
  for (const leftover of leftovers) {
    // What holds others' objects stays when it is taken out of the program.
    if (isDefinition(leftover) && (await whyKept(cluster.server, leftover.path))) continue;
    const progress = report(`${leftover.kind} ${leftover.name}: no longer in the program, removed`);
    await remove(cluster, leftover);
    progress.done();
  }
  return leftovers.length;
}

async function labelled(cluster: Cluster, label: string): Promise<Leftover[]> {
  const query = new URLSearchParams({ labelSelector: `${STACK_LABEL}=${label}` });
  const kinds = await cluster.discovery.deletable();
  const lists = await Promise.all(
    kinds.map(async ({ kind, name, namespaced, groupPath }) => {
      const { items = [] } = await listed(cluster, `${groupPath}/${name}?${query}`);
      return items
        .filter(({ metadata }) => isOurs(metadata) && !cluster.made.has(metadata.uid))
        .map(({ metadata }) => {
          const folder = namespaced ? `${groupPath}/namespaces/${metadata.namespace}/${name}` : `${groupPath}/${name}`;
          const shown = metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
          return { kind, path: `${folder}/${metadata.name}`, uid: metadata.uid, name: shown };
        });
    }),
  );
  // The API server shows some kinds in several groups.
  return [...new Map(lists.flat().map((leftover) => [leftover.uid, leftover])).values()];
}

/** What nobody may list cannot have been made by this run's user. */
async function listed({ server }: Cluster, path: string): Promise<{ items?: { metadata: Metadata }[] }> {
  return server.send("GET", path).catch((error: unknown) => {
    if (error instanceof ApiRefusal && [403, 404, 405].includes(error.status)) return {};
    throw error;
  }) as Promise<{ items?: { metadata: Metadata }[] }>;
}

/** Controllers copy labels to what they make: an EndpointSlice has those of its Service. */
function isOurs({ managedFields = [], ownerReferences = [], deletionTimestamp }: Metadata): boolean {
  const applied = managedFields.some(({ manager, operation }) => manager === FIELD_MANAGER && operation === "Apply");
  return applied && !deletionTimestamp && !ownerReferences.some(({ controller }) => controller);
}

async function remove({ server }: Cluster, { path, uid }: Leftover): Promise<void> {
  const deadline = Date.now() + GONE_TIMEOUT;
  try {
    // The very object that was judged: one of the same name that somebody made since is not ours.
    await server.send("DELETE", path, { propagationPolicy: "Foreground", preconditions: { uid } });
    for (let live: ApiObject = {}; Date.now() < deadline; await sleep(POLL)) {
      live = await server.send("GET", path);
      if ((live.metadata as Metadata | undefined)?.uid !== uid) return;
    }
  } catch (error) {
    if (error instanceof ApiRefusal && [404, 409].includes(error.status)) return;
    throw error;
  }
}

function rank({ kind }: Leftover): number {
  if (FIRST.includes(kind)) return -1;
  return LAST.indexOf(kind) + 1;
}
