import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { replacePrivately } from "../run-folder/private-files.ts";

/** How long a key is used at most. */
const ROTATED_AFTER_MS = 30 * 86_400_000;

export interface KeyPair {
  /** 32 bytes in base64, as WireGuard writes keys. */
  readonly privateKey: string;
  readonly publicKey: string;
  /** Milliseconds since 1970. */
  readonly made: number;
}

const keyPair = z.object({ privateKey: z.base64().length(44), publicKey: z.base64().length(44), made: z.number() });
const keyFile = z.object({ current: keyPair.optional(), next: keyPair.optional() });
type Keys = z.infer<typeof keyFile>;

export function newKeyPair(made: number): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { privateKey: bytesOf(privateKey, "pkcs8"), publicKey: bytesOf(publicKey, "spki"), made };
}

/** RFC 8410: the key is the last bytes of both encodings. */
function bytesOf(key: KeyObject, type: "pkcs8" | "spki"): string {
  return key.export({ type, format: "der" }).subarray(-32).toString("base64");
}

/** This node's keys, in a file that only root can read. A new key is published first, and used once the Node object has it. Other nodes
 * see it at the same time; until then the sessions with the old key continue. */
export class NodeKeys {
  readonly #file: string;
  readonly #now: () => number;
  #keys: Keys;

  constructor(file: string, now: () => number = Date.now) {
    this.#file = file;
    this.#now = now;
    this.#keys = read(file);
  }

  /** @param published the key that the Node object names; a Node without one asks for a new key
   * @returns the key to use, absent before one is published, and the one that is to be published now, absent if the Node object has it */
  follow(published: string | undefined): { readonly use: KeyPair | undefined; readonly publish: string | undefined } {
    const { current, next } = this.#keys;
    if (next && published === next.publicKey) this.#write({ current: next });
    else if (!next && (!current || published === undefined || this.#isOld(current)))
      this.#write({ current, next: newKeyPair(this.#now()) });
    const { current: use, next: coming } = this.#keys;
    const wanted = (coming ?? use)?.publicKey;
    return { use, publish: wanted === published ? undefined : wanted };
  }

  #isOld({ made }: KeyPair): boolean {
    return Math.abs(this.#now() - made) > ROTATED_AFTER_MS;
  }

  #write(keys: Keys): void {
    replacePrivately(this.#file, JSON.stringify(keys));
    this.#keys = keys;
  }
}

/** If the file cannot be read, the node gets another key. */
function read(file: string): Keys {
  try {
    return keyFile.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return {};
  }
}
