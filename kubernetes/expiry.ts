// Why credentials are refused, where they say it themselves: an API server answers "Unauthorized" to all that it refuses.
import { X509Certificate } from "node:crypto";
import type { RequestOptions } from "node:https";

/** That credentials are not valid now, and since when; undefined where they do not say. @param now ms since 1970 */
export function whyNotValid({ cert, headers }: RequestOptions, now = Date.now()): string | undefined {
  return certificateFault([cert].flat()[0], now) ?? tokenFault(headers, now);
}

function certificateFault(cert: string | Buffer | undefined, now: number): string | undefined {
  if (cert === undefined) return undefined;
  try {
    const { validFrom, validTo } = new X509Certificate(cert);
    return outside("the client certificate", Date.parse(validFrom), Date.parse(validTo), now);
  } catch {
    return undefined; // OpenSSL read it, so this is a form that Node does not know
  }
}

/** Of a JSON Web Token (RFC 7519); its signature is the API server's affair. */
function tokenFault(headers: RequestOptions["headers"], now: number): string | undefined {
  const { Authorization } = (headers ?? {}) as { Authorization?: unknown };
  const [, claims] = /^Bearer [\w-]+\.([\w-]+)\./.exec(String(Authorization)) ?? [];
  if (claims === undefined) return undefined;
  try {
    const { nbf, exp } = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<"nbf" | "exp", unknown>;
    return outside("the token", seconds(nbf), seconds(exp), now);
  } catch {
    return undefined;
  }
}

const seconds = (value: unknown): number => (typeof value === "number" ? value * 1000 : Number.NaN);

function outside(what: string, from: number, to: number, now: number): string | undefined {
  if (to < now) return `${what} expired at ${written(to)}`;
  if (from > now) return `${what} is valid from ${written(from)} on, which this computer's clock has not reached`;
  return undefined;
}

/** ISO 8601, to the second. */
function written(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "a time long ago" : date.toISOString().replace(/\.\d+Z$/, "Z");
}
