import type { Expectation } from "../../components/documents/check.ts";

/** An expectation in words, in the same order as `observed`: `allowed from 172.31.1.55, reply direct`. */
export function expectedWords(expectation: Expectation): string {
  const { verdict, source, sourcePort, keep, servers, spread, spreadAtMost, http, icmp, size, family, count, reply } =
    expectation;
  const sources = source?.map(({ text }) => text).join(" or ");
  return [
    `${verdict}${sources ? ` from ${sources}` : ""}`,
    ...(servers ? [`by ${servers.map(({ text }) => text).join(" or ")}`] : []),
    ...(icmp?.type !== undefined ? [`ICMP type ${icmp.type} code ${icmp.code}`] : []),
    ...(size ? [`${size} bytes echoed`] : []),
    ...(http ? [`HTTP ${http.status} of ${http.path}`] : []),
    ...(reply ? [reply === "direct" ? "reply direct" : "reply via the entry node"] : []),
    ...(spread ? [`at least ${spread} servers`] : []),
    ...(spreadAtMost ? [`at most ${spreadAtMost} servers`] : []),
    ...(family ? [`over ${family}`] : []),
    ...(sourcePort ? [`from port ${sourcePort}${keep ? ", kept open" : ""}`] : []),
    ...(count > 1 ? [`${count} attempts`] : []),
  ].join(", ");
}
