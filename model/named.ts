import { createHash } from "node:crypto";
import { hash32 } from "./hash.ts";

/** A name and its first choice of number, computed once per name. */
export interface Named {
  readonly name: string;
  readonly hash: number;
}

/** @param salt a secret, for names that users compose. Of two names with the same hash one has to move, and meanwhile the number
 * means both. Without a salt a user could compose a name that collides with another user's. */
export function named(name: string, salt = ""): Named {
  return { name, hash: hash32(salt + name) };
}

/** Longer names are cut: the owner of one namespace can write policies whose texts are in the names of every pod's identity, and of every endpoint's
 * policies. */
const LONGEST = 1_024;

/** A name that is its content: of a long one the beginning, which people read, and a digest of the whole. */
export function namedByContent(content: string, salt?: string): Named {
  if (content.length <= LONGEST) return named(content, salt);
  const digest = createHash("sha256").update(content).digest("hex");
  return named(`${content.slice(0, LONGEST / 2)} … sha256:${digest}`, salt);
}
