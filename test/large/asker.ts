// Sends requests to an agent, as kubelet and the container runtime do, until its standard input ends: `node asker.ts`. Prints the
// duration of each request: {"live": [ms …], "ready": [ms …], "add": [ms …], "served": [ms …], "failed": [text …]}.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

export interface Answers {
  live: number[];
  ready: number[];
  add: number[];
  /** `live` without the time that the agent's thread waited for a processor: the machine may be busy with others. */
  served: number[];
  failed: string[];
}

/** Pods created for it: "asker-0" … */
export const ASKER_PODS = 8;
export const SHIM = "/opt/cni/bin/ebpf-dataplane";
const CONFIGURATION = { cniVersion: "1.0.0", name: "ebpf-dataplane", type: "ebpf-dataplane" };

async function main(): Promise<void> {
  const answers: Answers = { live: [], ready: [], add: [], served: [], failed: [] };
  let goesOn = true;
  process.stdin.resume().on("end", () => {
    goesOn = false;
  });
  const timed = async (into: number[], ask: () => Promise<unknown>) => {
    const started = performance.now();
    try {
      await ask();
    } catch (error) {
      answers.failed.push(error instanceof Error ? error.message : String(error));
    }
    into.push(performance.now() - started);
  };
  const repeat = async (into: number[], pause: number, ask: (turn: number) => Promise<unknown>) => {
    for (let turn = 0; goesOn; turn++) {
      await timed(into, () => ask(turn));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  const get = (path: string) =>
    fetch(`http://127.0.0.1:9099${path}`, { signal: AbortSignal.timeout(60_000) }).then((answer) => answer.text());
  const agent = agentsPid();
  process.stdout.write("asking\n");
  await Promise.all([
    repeat(answers.live, 20, async () => {
      const [asked, waited] = [performance.now(), waitedMs(agent)];
      await get("/live");
      answers.served.push(performance.now() - asked - (waitedMs(agent) - waited));
    }),
    repeat(answers.ready, 100, () => get("/ready")),
    repeat(answers.add, 100, async (turn) => {
      const pod = `asker-${turn % ASKER_PODS}`;
      await run("ip", ["netns", "add", pod]);
      const started = performance.now();
      await cni("ADD", pod);
      answers.add.push(performance.now() - started);
      await cni("DEL", pod);
      await run("ip", ["netns", "delete", pod]);
    }).then(() => {
      answers.add = answers.add.filter((_, index) => index % 2 === 0); // the others are whole turns
    }),
  ]);
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}

function agentsPid(): string {
  const found = readdirSync("/proc").find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return / agent --kubeconfig /.test(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
    } catch {
      return false; // has ended
    }
  });
  if (found === undefined) throw new Error("no agent runs");
  return found;
}

/** How long its first thread has waited for a processor: the second number of schedstat, in ns (sched-stats.rst of the kernel). */
function waitedMs(pid: string): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;
}

function cni(command: "ADD" | "DEL", pod: string): Promise<string> {
  const { env, configuration } = cniCall(command, pod);
  return run(SHIM, [], { ...process.env, ...env }, configuration);
}

/** The environment and input with which the container runtime starts the plugin. */
export function cniCall(command: "ADD" | "DEL", pod: string) {
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: pod,
    CNI_NETNS: `/run/netns/${pod}`,
    CNI_IFNAME: "eth0",
    CNI_PATH: "/opt/cni/bin",
    CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod};K8S_POD_UID=${pod}`,
  };
  return { env, configuration: JSON.stringify(CONFIGURATION) };
}

async function run(program: string, words: readonly string[], env = process.env, input = ""): Promise<string> {
  const child = spawn(program, words, { env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {}); // "ip" reads nothing
  child.stdin.end(input);
  const [output, errors, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once("close", resolve)),
  ]);
  if (status !== 0) throw new Error(`${program} ${words.join(" ")} exited with ${status}: ${output}${errors}`);
  return output;
}

if (process.argv[1]?.endsWith("asker.ts")) await main();
