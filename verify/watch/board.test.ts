import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { Flow } from "../../agent/observe/events/flow.ts";
import type { Step } from "../../agent/observe/events/step.ts";
import { Board } from "./board.ts";
import { MergedFlows } from "./merged-flows.ts";
import { inOrder } from "./order.ts";

const opened: Flow = {
  time: "2026-01-02T03:04:05.678Z",
  node: "master",
  protocol: "TCP",
  verdict: "opened",
  client: { address: "172.31.1.55", port: 40_001 },
  to: { address: "172.31.1.8", port: 30_604, name: "service default/web" },
  service: "default/web",
  backend: { address: "10.244.1.2", port: 80, name: "pod default/web" },
  reply: "direct",
  role: "entry",
  peer: "node node",
};
const dropped: Flow = {
  ...opened,
  node: "node",
  verdict: "dropped",
  reason: "drop_policy_ingress",
  text: "not allowed",
};

const lines = (board: Board, now: number, width = 200) =>
  board.render("title", width, 30, now).map(stripVTControlCharacters);

test("a connection over two nodes counts once, a refused packet beside it; rates forget after ten seconds", () => {
  const board = new Board();
  for (let count = 0; count < 20; count++) {
    const client = { address: "172.31.1.55", port: 40_001 + count };
    board.add({ ...opened, client }, 1000);
    board.add({ ...opened, client, node: "node", role: "backend" }, 1000);
  }
  board.add(dropped, 1000);
  expect(lines(board, 2000).find((line) => line.startsWith("default/web"))).toMatch(/2\.0 +0\.1$/);
  expect(lines(board, 12_000)).toContain("(no connection in the last 10 s)");
  expect(lines(board, 12_000).join("\n")).toContain(
    "      1  to service default/web, last from 172.31.1.55\n         drop_policy_ingress: not allowed\n",
  );
});

test("a connection that staged policies would refuse at one node is marked, whatever the other says", () => {
  const entry: Flow = { ...opened, node: "master", role: "entry", staged: { verdict: "depends" } };
  const refusing: Flow = { ...opened, node: "node", role: "backend", staged: { verdict: "denied" } };
  for (const order of [
    [entry, refusing],
    [refusing, entry],
  ]) {
    const together = new MergedFlows();
    const all = order.map((flow) => together.add(flow, 0).merged);
    expect(all.at(-1)?.flow.staged?.verdict).toBe("denied");
    expect(all[0]).toBe(all[1]);
  }
});

test("a connection that staged policies would refuse is marked, whichever node says so first", () => {
  const staged = { verdict: "denied", reason: "NetworkPolicy default/next" } as const;
  const backend: Flow = { ...opened, node: "node", role: "backend", staged };
  for (const order of [
    [opened, backend],
    [backend, opened],
  ]) {
    const board = new Board();
    for (const flow of order) board.add(flow, 0);
    for (const width of [100, 400]) {
      const shown = lines(board, 0, width === 100 ? 139 : width).join("\n");
      expect(shown).toContain("WOULD BE DENIED by staged policies");
    }
  }
});

test("what a Log rule matched is shown with the rule and is no refusal", () => {
  const board = new Board();
  const rule = "tier security, GlobalNetworkPolicy audit, ingress rule 1";
  board.add({ ...opened, verdict: "logged", text: "ingress of pod default/web allowed by …", rule }, 0);
  const shown = lines(board, 0, 400).join("\n");
  expect(shown).toContain(`logged by ${rule}`);
  expect(shown).toMatch(/REFUSED SINCE THE START\n\(none\)/);
  expect(shown).toMatch(/default\/web +0\.0 +0\.0/);
});

test("the screen shows the last flows and keeps to its size", () => {
  const board = new Board();
  for (let port = 1; port <= 100; port++) board.add({ ...opened, client: { address: "172.31.1.55", port } }, 0);
  const shown = lines(board, 0, 80);
  expect(shown.length).toBe(30);
  expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(shown.at(-1)).toContain("172.31.1.55:100");
  expect(Math.max(...lines(board, 0, 40).map((line) => line.length))).toBeLessThanOrEqual(40);
});

test("at 80 columns a refusal shows its policy whole, in the summary and among the flows", () => {
  const board = new Board();
  const rule = "no rule of NetworkPolicy default/nginx allows it (end of tier default)";
  board.add({ ...dropped, rule, client: { address: "172.31.1.162", port: 40_001, name: "machine client2" } }, 0);
  expect(board.render("title", 80, 24, 0).map(stripVTControlCharacters)).toEqual(
    expect.arrayContaining([
      "      1  to service default/web, last from client2",
      `         ${rule}`,
      "03:04:05 node TCP client2 > default/web ✗ default/nginx (tier default)",
    ]),
  );
});

test("a scan of addresses does not fill the memory, and what is seen stays", () => {
  const board = new Board();
  const { service: _, ...unnamed } = dropped;
  for (let host = 0; host < 2000; host++) {
    board.add({ ...unnamed, to: { address: `10.0.${host >> 8}.${host & 255}`, port: 80 } }, 0);
    board.add(dropped, 0);
  }
  expect(lines(board, 0).join("\n")).toContain("2000  to service default/web");
});

test("with one clock steps are ordered by time; otherwise the node that wraps comes before the one it wraps for", () => {
  const step = (node: string, at: number, name: string, text: string): Step => ({
    node,
    at: String(at),
    hook: "h",
    step: name,
    text,
  });
  const steps = [
    step("node", 20, "arrived", ""),
    step("master", 100, "arrived", ""),
    step("master", 110, "wrapped", "encapsulated in VXLAN for node node, kind forward direct"),
    step("node", 30, "finished", ""),
  ];
  expect(inOrder(steps, true).map(({ at }) => at)).toEqual(["20", "30", "100", "110"]);
  expect(inOrder(steps, false).map(({ at }) => at)).toEqual(["100", "110", "20", "30"]);
});
