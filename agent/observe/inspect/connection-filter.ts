import { canonicalAddress } from "../../../model/address/address.ts";
import { FormatError } from "../../../model/expectation/place.ts";
import { addressAndPort } from "./words.ts";

/** Which connections are shown, in the notation of the maps. */
export interface ConnectionFilter {
  /** Address that opened the connection. */
  readonly client?: string | undefined;
  /** Address, or address:port, that the client used. */
  readonly frontend?: string | undefined;
}

/** Options as users write them, as the maps have them: "FD00::0:1" is "fd00::1". @throws FormatError */
export function connectionFilter({ client, frontend }: ConnectionFilter): ConnectionFilter {
  return {
    ...(client !== undefined && { client: plainAddress(client) ?? refuse("--client", client, ADDRESS) }),
    ...(frontend !== undefined && {
      frontend: frontendOf(frontend) ?? refuse("--frontend", frontend, `${ADDRESS}, 10.96.0.10:53, [fd00::10]:53`),
    }),
  };
}

const ADDRESS = "an address, like 10.96.0.10 or fd00::10";

/** In brackets or without. */
const plainAddress = (text: string): string | undefined => canonicalAddress(text.replace(/^\[(.*)\]$/, "$1"));

function frontendOf(text: string): string | undefined {
  const alone = plainAddress(text);
  if (alone) return alone;
  const [, written = "", port] = /^(\[.+\]|[\d.]+):(\d{1,5})$/.exec(text) ?? [];
  const address = plainAddress(written);
  return address && Number(port) <= 65_535 ? addressAndPort(address, Number(port)) : undefined;
}

function refuse(option: string, written: string, allowed: string): never {
  throw new FormatError(`${option} is "${written}"`, allowed);
}
