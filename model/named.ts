import { hash32 } from "./hash.ts";

/** A name and its first choice of number, computed once per name. */
export interface Named {
  readonly name: string;
  readonly hash: number;
}

/** @param salt what nobody else knows, for names that users compose: of two with one hash one has to move, and while it does the
 * number means both. Who knows how to hash can compose a name that meets another's. */
export function named(name: string, salt = ""): Named {
  return { name, hash: hash32(salt + name) };
}
