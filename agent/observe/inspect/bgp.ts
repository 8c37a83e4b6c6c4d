import { existsSync } from "node:fs";
import { askBird } from "../../bgp/control.ts";
import { BIRD_FILE, BIRD_SOCKET, runFile } from "../../options.ts";
import { asJson, asTable, type View } from "./table.ts";

/** A block of `show protocols all` begins with the session's name. */
const SESSION = /^(\S+)\s+BGP\s/;

/** One row for each session, in BIRD's own words. */
export function sessionsView(lines: readonly string[]): View {
  const rows: string[][] = [];
  let row: string[] | undefined;
  for (const line of lines) {
    if (/^\S/.test(line)) row = SESSION.test(line) ? ["", "", "", "0", "0", ""] : undefined;
    if (row && SESSION.test(line)) rows.push(row);
    const [, name = "", value = ""] = /^\s+([^:]+):\s+(.*?)\s*$/.exec(line) ?? [];
    const [, imported, exported] = /^(\d+) imported,.*?(\d+) exported/.exec(value) ?? [];
    if (name === "Routes" && imported !== undefined) row?.splice(3, 2, imported, exported ?? "");
    const column = ["Neighbor address", "Neighbor AS", "BGP state"].indexOf(name);
    if (row && column >= 0) row[column] = value;
    if (row && name === "Last error") row[5] = value;
  }
  return {
    columns: ["peer", "as", "state", "learned", "announced", "last error"],
    rows,
    empty: "There is no BGP session on this node: a BGPConfiguration default or a BGPPeer asks for them.",
  };
}

/** Asks this node's BIRD for its sessions. */
export async function printSessions(options: { readonly json?: boolean; readonly runDirectory: string }) {
  const socket = runFile(options, BIRD_SOCKET);
  // BIRD runs only if there is a reason to speak BGP: then the agent has written its configuration.
  if (!existsSync(socket) && existsSync(runFile(options, BIRD_FILE)))
    throw new Error(
      "This node has to speak BGP, but BIRD does not run: it has no socket. Next: the agent's log says why; sessions come back by themselves.",
    );
  const { lines } = existsSync(socket) ? await askBird(socket, "show protocols all") : { lines: [] };
  const view = sessionsView(lines);
  console.log(options.json ? asJson(view) : asTable(view));
}
