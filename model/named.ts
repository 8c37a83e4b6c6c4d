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
