import type { PacketPath } from "./document.ts";
import { hostOf } from "./rewrites.ts";

/** The drawing in one or two sentences. */
export function inWords({ places, stretches, served, reply, client }: PacketPath): string {
  const entry = places.find(({ role }) => role === "entryNode")?.name;
  if (!served) return `${client} gets no answer.`;
  const requests = stretches.filter(({ direction }) => direction === "request");
  const [left, arrived] = [requests[0]?.source, requests.at(-1)?.source];
  const owner = places.find(({ address }) => arrived && address === hostOf(arrived))?.name;
  const own = left && arrived && hostOf(left) === hostOf(arrived);
  const source =
    arrived === undefined
      ? "The source that the server saw is not known"
      : own
        ? `The server sees the client, ${hostOf(arrived)}`
        : `The server sees ${hostOf(arrived)}${owner ? `, which is ${owner}` : ""}, instead of the client`;
  const back = {
    direct: `the reply bypasses ${entry}`,
    viaEntryNode: `the reply goes back through ${entry}`,
    onEntryNode: `the server runs on ${entry}`,
  };
  if (!reply) return `${source}.`;
  return `${source}; ${entry ? back[reply] : "no other node is on the path"}.`;
}
