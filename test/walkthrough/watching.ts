// `watch` on the walk-through's cluster, as programs read it and as a person sees it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { Flow } from "../../agent/observe/events/flow.ts";
import { ENTRIES, MINUTES } from "./observations.ts";
import { type commandsOf, ended, root } from "./stack.ts";

const NGINX = ["--service", "default/nginx"];
const SIZE = { columns: 80, rows: 24 };
/** Enough to fill the screen. */
const CONNECTIONS = 8;

/** Run by Node on a machine: opens connections, and does not wait for an answer longer than a client would. */
const OPEN = `const net = require("node:net");
const [host, port] = process.argv[1].split(":");
const open = () => new Promise((done) => {
  const socket = net.connect(Number(port), host).on("error", done).on("close", done);
  socket.setTimeout(1000, () => socket.destroy()).on("connect", () => socket.destroy());
});
Promise.all(Array.from({ length: ${CONNECTIONS} }, open)).then(() => process.exit(0));`;
const API_SERVER = "10.96.0.1:443";

/** @param commands of a cluster whose agents keep the latest flows, and whose nginx serves client1 and refuses client2 */
export function testWatch({ LAB, inMachine, watch }: ReturnType<typeof commandsOf>): void {
  const open = (machine: string, to: string) => ended(inMachine(machine, process.execPath, "-e", OPEN, to));
  const connect = () =>
    Promise.all([open("client1", ENTRIES.IPv4), open("client2", ENTRIES.IPv4), open("master", API_SERVER)]);

  /** What the agents know of the past, to its end. Nothing, while none keeps it yet. */
  async function past(...words: string[]): Promise<Flow[]> {
    const running = started(process.execPath, [program, "watch", "--lab", LAB, "--json", "--since", "1h", ...words]);
    let status: number | null | undefined;
    void running.ended.then((ended) => {
      status = ended;
    });
    // Said when all nodes have told theirs.
    await expect.poll(() => status !== undefined || running.said.stderr.includes("2 nodes   ")).toBe(true);
    if (status === undefined) running.child.kill("SIGINT");
    if ((await running.ended) !== 0) expect(running.said.stderr).toContain("no history is kept on this node");
    const lines = running.said.stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Flow);
  }
  const named = (flows: readonly Flow[]) => [
    ...new Set(flows.map(({ client, service, verdict, node }) => `${client?.name} ${service} ${verdict} on ${node}`)),
  ];

  test(
    "watch shows what happened before it began, a line of JSON each, and selects by Service, sender, policy and refusal",
    async () => {
      const everything = async () => {
        await connect();
        return named(await past());
      };
      const served = "machine client1 default/nginx opened on node";
      const refused = "machine client2 default/nginx dropped on node";
      const other = "undefined default/kubernetes:https opened on master"; // a socket, which has no sender yet
      await expect.poll(everything).toEqual(expect.arrayContaining([served, refused, other]));
      const ofNginx = await past(...NGINX);
      expect(named(ofNginx)).toEqual(expect.arrayContaining([served, refused]));
      expect(new Set(ofNginx.map(({ service }) => service))).toEqual(new Set(["default/nginx"]));
      const ofClient1 = await past("--from", "client1");
      expect(named(ofClient1)).toContain(served);
      expect(new Set(ofClient1.map(({ client }) => client?.name))).toEqual(new Set(["machine client1"]));
      const drops = await past("--refused", "--policy", "default/nginx");
      expect(named(drops)).toContain(refused);
      for (const { verdict, rule } of drops) {
        expect(verdict).not.toBe("opened");
        expect(rule).toContain("NetworkPolicy default/nginx");
      }
      const { stderr } = await ended(watch("--service", "default/ngnix"), 2);
      expect(stderr).toContain('there is no Service "default/ngnix"; did you mean "default/nginx"?');
    },
    15 * MINUTES,
  );

  test(
    "watch shows connections as they happen on a terminal of 80 columns and 24 lines, until q is pressed",
    async () => {
      const { columns, rows } = SIZE;
      const command = [process.execPath, program, "watch", "--lab", LAB, ...NGINX].join(" ");
      const line = `stty columns ${columns} rows ${rows}; exec ${command}`;
      const running = started("script", ["--quiet", "--return", "--flush", "--command", line, "/dev/null"]);
      const refusal = /^\d\d:\d\d:\d\d \S+ TCP client2 > default\/nginx ✗ default\/nginx \(tier default\)$/m;
      let screen: string[] = [];
      const filled = async () => {
        await connect();
        screen = lastScreen(running.said.stdout);
        return { rows: screen.length, isRefusalShown: refusal.test(screen.join("\n")) };
      };
      await expect.poll(filled).toEqual({ rows, isRefusalShown: true });
      expect(screen[0]).toContain("q ends");
      expect(screen.join("\n")).toContain("no rule of NetworkPolicy default/nginx allows it (end of tier default)");
      for (const row of screen) expect(row.length).toBeLessThanOrEqual(columns);
      running.child.stdin.write("q");
      expect(await running.ended).toBe(0);
      expect(running.said.stdout.endsWith("\x1b[?1049l")).toBe(true); // what was on the terminal before is there again
    },
    15 * MINUTES,
  );
}

const program = join(root, "dist", "verify.js");

/** A program and what it has said until now. It ends with the test. */
function started(file: string, words: string[]) {
  const child = spawn(file, words, { cwd: root });
  onTestFinished(() => void child.kill());
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
    });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  ended.catch(() => {}); // handled where it is awaited
  return { child, said, ended };
}

/** Rows of the last screen that is complete. */
function lastScreen(output: string): string[] {
  const complete = output.split("\x1b[H").findLast((drawn) => drawn.includes("\x1b[J"));
  return (complete ?? "").split("\r\n").map((row) => stripVTControlCharacters(row).trimEnd());
}
