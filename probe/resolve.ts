import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import type { Dns } from "./batch.ts";

/**
 * The first address of `host`, asked of the given name servers as a pod's resolver would (resolv.conf(5) search and
 * ndots), or of this machine's own resolver without them. Rejects with the reason in words.
 */
export async function resolveHost(host: string, dns?: Dns): Promise<string> {
  if (isIP(host)) return host;
  if (!dns) return (await lookup(host).catch((error) => fail(host, error))).address;

  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers(dns.servers);
  let last: unknown;
  for (const name of candidates(host, dns)) {
    try {
      const [first] = await ask(resolver, name);
      if (first) return first;
    } catch (error) {
      last = error;
      // "No such name" goes on to the next domain; a server that does not answer will not answer the next one either.
      if (!isMissing(error)) break;
    }
  }
  return fail(host, last, dns.servers);
}

/** The names to ask for, in order. */
export function candidates(host: string, { search, ndots }: Dns): string[] {
  if (host.endsWith(".")) return [host];
  const dots = host.split(".").length - 1;
  const searched = search.map((domain) => `${host}.${domain}`);
  return dots >= ndots ? [host, ...searched] : [...searched, host];
}

async function ask(resolver: Resolver, name: string): Promise<string[]> {
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

function fail(host: string, error: unknown, servers?: string[]): never {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "ENODATA";
  throw new Error(`${host} does not resolve: ${code}${servers ? ` from name server ${servers.join(", ")}` : ""}`);
}
