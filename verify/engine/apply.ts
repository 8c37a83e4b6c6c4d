import type { KubernetesObject } from "../../components/documents/check.ts";
import { ApiRefusal, isAway, reasonOf } from "../../kubernetes/errors.ts";
import { type ObjectId, objectText } from "../../kubernetes/object.ts";
import { patiently as attemptPatiently } from "../../kubernetes/patience.ts";
import type { StoredObject } from "../cluster/objects.ts";
import type { World } from "./world.ts";

/** The API server rejects an object, so the check cannot be carried out. */
export class ObjectRefused extends Error {
  /** Whether the API server was unreachable, rather than refusing the object. */
  readonly unreachable: boolean;
  constructor(message: string, unreachable: boolean) {
    super(message);
    this.unreachable = unreachable;
  }
}

/** Time for the API itself: to create a namespace's service account, establish a definition, delete an object. */
const patienceMs = 90_000;
/** A definition is established within a second or two; a kind that is still unknown then is a mistake. */
const unknownKindMs = 30_000;
const pauseMs = 250;

/** Applies one object; retries only conditions that pass by themselves. */
export async function applyPatiently(world: World, object: KubernetesObject): Promise<void> {
  await patiently(world, `cannot apply ${objectText(object)}`, async () => {
    // Changes to an object that is being deleted would be lost.
    const now = await world.objects.read(object);
    if (now?.metadata.deletionTimestamp) throw new Ending(`the previous ${objectText(object)} is still being deleted`);
    await world.objects.apply(object);
  });
}

export async function deletePatiently(world: World, id: ObjectId): Promise<void> {
  await patiently(world, `cannot delete ${objectText(id)}`, () => world.objects.delete(id));
}

/** The current state of an object. */
export async function readPatiently(world: World, id: ObjectId): Promise<StoredObject | undefined> {
  let found: StoredObject | undefined;
  await patiently(world, `cannot read ${objectText(id)}`, async () => {
    found = await world.objects.read(id);
  });
  return found;
}

export async function restorePatiently(world: World, object: StoredObject): Promise<void> {
  await patiently(world, `cannot restore ${objectText(object)}`, () => world.objects.restore(object));
}

class Ending extends Error {}

async function patiently(world: World, what: string, act: () => Promise<void>): Promise<void> {
  const limitMs = (error: Error) => (world.stopping.aborted ? 0 : patienceWith(error));
  try {
    await attemptPatiently(act, { limitMs, everyMs: pauseMs, clock: world.clock });
  } catch (error) {
    throw new ObjectRefused(`${what}: ${reasonOf(error)}`, isAway(error));
  }
}

/** How long a retry can help, in milliseconds; 0 for a permanent error. */
function patienceWith(error: unknown): number {
  if (error instanceof Ending) return patienceMs;
  if (isAway(error)) return patienceMs;
  if (!(error instanceof ApiRefusal)) return 0;
  const { status, reason, words } = error;
  if (status === 409) return patienceMs;
  if (reason === "UnknownKind") return unknownKindMs;
  // A new namespace has no default service account yet, and pods are refused until it has; an ending one refuses all.
  return status === 403 && /error looking up service account|is being terminated/.test(words) ? patienceMs : 0;
}
