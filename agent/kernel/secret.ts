// The key of the hash by which the packet path chooses backends (bpf/service/secret_hash.h).
import { randomBytes } from "node:crypto";
import type { Secret } from "./layout.gen.ts";
import type { MapStores } from "./map-store.ts";

/** Gives this node its secret, once. It stays in its pinned map, so that a connection finds its backend again under the next agent.
 * @param older the secret of the programs that this agent replaces */
export function ensureSecret(secrets: MapStores["secrets"], older: () => Secret | undefined = () => undefined): void {
  const known = secrets.lookup(0);
  if (known && (known.low !== 0n || known.high !== 0n)) return;
  const failures = secrets.update([[0, older() ?? drawn()]]);
  if (failures.length > 0) throw new Error(`Cannot write the secret of this node: ${failures[0]?.reason}.`);
}

function drawn(): Secret {
  const bytes = randomBytes(16);
  return { low: bytes.readBigUInt64LE(0), high: bytes.readBigUInt64LE(8) };
}
