import type { PacketPath } from "../../report/document.ts";
import { modeName } from "../../report/modes.ts";
import { inWords } from "../../report/path-in-words.ts";

/** "eBPF, DSR: client1 to 172.31.1.8:30604". */
export const pathTitle = ({ mode, client, target }: PacketPath): string => `${modeName(mode)}: ${client} to ${target}`;

/** A path as lines of text: the request from left to right, the reply below it from right to left, then each segment with its addresses. */
export function pathLines(path: PacketPath): string[] {
  const stretches = path.stretches.map(({ from, to, source, destination, wrapped }, index) => {
    const outer = wrapped ? `, in VXLAN ${wrapped.source} → ${wrapped.destination}` : "";
    return { hop: `${index + 1} ${from} → ${to}`, addresses: `${source} → ${destination}${outer}` };
  });
  const width = Math.max(...stretches.map(({ hop }) => hop.length));
  return [
    ...picture(path),
    "",
    ...stretches.map(({ hop, addresses }) => `${hop.padEnd(width)}   ${addresses}`),
    "",
    inWords(path),
  ];
}

function picture({ places, stretches, served }: PacketPath): string[] {
  let line = "";
  const middle = new Map<string, number>();
  for (const [index, { name }] of places.entries()) {
    if (index > 0) {
      const before = places[index - 1]?.name;
      const hop = stretches.find(
        ({ from, to, direction }) => direction === "request" && from === before && to === name,
      );
      line += hop ? (hop.wrapped ? " ══VXLAN══▶ " : " ─────▶ ") : "    ✕    ";
    }
    middle.set(name, line.length + Math.floor(name.length / 2));
    line += name;
  }
  if (!served) return [line];
  const reply = stretches.filter(({ direction }) => direction === "reply");
  const visited = reply.map(({ from }) => middle.get(from) ?? 0);
  const client = middle.get(reply.at(-1)?.to ?? "") ?? 0;
  return [line, ...back(client, visited)];
}

/** The reply: up at the client, down from the pod, and a branch at every place that it passes. */
function back(client: number, visited: number[]): string[] {
  const pod = Math.max(...visited);
  const stems = Array.from({ length: pod + 1 }, (_, column) =>
    column === client ? "▲" : visited.includes(column) ? "│" : " ",
  );
  const run = Array.from({ length: pod + 1 }, (_, column) => {
    if (column < client) return " ";
    if (column === client) return "└";
    if (column === pod) return "┘";
    return visited.includes(column) ? "┴" : "─";
  });
  return [stems.join(""), run.join("")];
}
