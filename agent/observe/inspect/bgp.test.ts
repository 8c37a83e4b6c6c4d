import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { printSessions, sessionsView } from "./bgp.ts";

// As BIRD 2.0.12 writes it.
const LINES = `Name       Proto      Table      State  Since         Info
device1    Device     ---        up     07:53:15.304  

peer_172_31_1_1 BGP        ---        up     07:53:15.304  Established   
  BGP state:          Established
    Neighbor address: 172.31.1.1
    Neighbor AS:      64500
    Local AS:         64512
  Channel ipv4
    State:          UP
    Routes:         2 imported, 1 exported, 2 preferred

kernel_ipv4 Kernel     master4    up     07:53:15.304  
  Channel ipv4
    Routes:         7 imported, 7 exported, 7 preferred

peer_2001_db8__1 BGP        ---        start  07:53:15.304  Active        Socket: Network is unreachable
  BGP state:          Active
    Neighbor address: 2001:db8::1
    Neighbor AS:      2
    Last error:       Socket: Network is unreachable`.split("\n");

test("each session has its state and its routes, or why it has none", () => {
  expect(sessionsView(LINES).rows).toEqual([
    ["172.31.1.1", "64500", "Established", "2", "1", ""],
    ["2001:db8::1", "2", "Active", "0", "0", "Socket: Network is unreachable"],
  ]);
});

test("where no BIRD runs there is no session, and what would ask for one is said", async () => {
  const runDirectory = mkdtempSync(join(tmpdir(), "inspect-bgp-"));
  const printed = vi.spyOn(console, "log").mockReturnValue();
  await printSessions({ runDirectory });
  await printSessions({ runDirectory, json: true });
  expect(printed.mock.calls).toEqual([
    ["There is no BGP session on this node: a BGPConfiguration default or a BGPPeer asks for them."],
    ["[]"],
  ]);
  printed.mockRestore();
  rmSync(runDirectory, { recursive: true });
});

test("a BIRD that should run and does not is an error, and not a node without sessions", async () => {
  const runDirectory = mkdtempSync(join(tmpdir(), "inspect-bgp-"));
  writeFileSync(join(runDirectory, "bird.conf"), "");
  await expect(printSessions({ runDirectory, json: true })).rejects.toThrow("BIRD does not run");
  rmSync(runDirectory, { recursive: true });
});
