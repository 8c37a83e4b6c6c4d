import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import type { Dns, Family } from "./batch.ts";

/**
 * The first address of `host`, asked of the given name servers as a pod's resolver would (resolv.conf(5) search and
 * ndots), or of this machine's own resolver without them. Rejects with the reason in words.
 *
 * @param family only an address of it
 */
export async function resolveHost(host: string, dns?: Dns, family?: Family): Promise<string> {
  if (isIP(host)) return host;
  const number = family && (family === "IPv4" ? 4 : 6);
  if (!dns) return (await lookup(host, { family: number }).catch((error) => fail(host, error, family))).address;

  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers(dns.servers);
  let last: unknown;
  for (const name of candidates(host, dns)) {
    try {
      const [first] = await queryAddresses(resolver, name, family);
      if (first) return first;
    } catch (error) {
      last = error;
      // "No such name" goes on to the next domain; a server that does not answer will not answer the next one either.
      if (!isMissing(error)) break;
    }
  }
  return fail(host, last, family, dns.servers);
}

/** The names to ask for, in order. */
export function candidates(host: string, { search, ndots }: Dns): string[] {
  if (host.endsWith(".")) return [host];
  const dots = host.split(".").length - 1;
  const searched = search.map((domain) => `${host}.${domain}`);
  return dots >= ndots ? [host, ...searched] : [...searched, host];
}

async function queryAddresses(resolver: Resolver, name: string, family?: Family): Promise<string[]> {
  if (family) return family === "IPv4" ? resolver.resolve4(name) : resolver.resolve6(name);
  try {
    return await resolver.resolve4(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENODATA") throw error;
    return await resolver.resolve6(name);
  }
}

function isMissing(error: unknown): boolean {
  return ["ENOTFOUND", "ENODATA"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function fail(host: string, error: unknown, family?: Family, servers?: string[]): never {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "ENODATA";
  const what = family ? ` to an ${family} address` : "";
  throw new Error(
    `${host} does not resolve${what}: ${code}${servers ? ` from name server ${servers.join(", ")}` : ""}`,
  );
}
