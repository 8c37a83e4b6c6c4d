import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

/** A program of the dataplane on a node, and what the kernel counted of it while counting was on. */
export interface ProgramRunTime {
  node: string;
  /** As attached: `eth0-ingress`, `cgroup-connect4`. */
  attachment: string;
  program: string;
  nanoseconds: number;
  runs: number;
}

const linkSchema = z.looseObject({ prog_id: z.int() });
const programSchema = z.looseObject({
  id: z.int(),
  name: z.string().optional(),
  run_time_ns: z.int().default(0),
  run_cnt: z.int().default(0),
});

/** The agents' pins of attached programs (agent/options.ts). */
const links = "/sys/fs/bpf/ebpf-dataplane/links";

/**
 * Reads the run time of the programs that a node's agent has attached, by their pins: a program's id does not identify
 * the node. A program that is attached to several interfaces is counted once, for all of them.
 * @param enter the command prefix that runs a command on the node
 * @returns an empty list if links are not pinned (kernels without TCX)
 */
export async function readBpfRunTime(node: string, enter: string[]): Promise<ProgramRunTime[]> {
  const script = `cd ${links} 2>/dev/null || exit 0; for link in *; do echo "$link $(bpftool -j link show pinned "$PWD/$link")"; done; echo; bpftool -j prog show`;
  const [file = "", ...args] = [...enter, "sh", "-c", script];
  const { stdout } = await run(file, args, { timeout: 30_000, maxBuffer: 64 * 1024 * 1024 });
  return parseBpfRunTime(node, stdout);
}

/** Lines `NAME LINK-AS-JSON`, an empty line, and all programs of the kernel as one line of JSON. */
export function parseBpfRunTime(node: string, text: string): ProgramRunTime[] {
  const [pinned = "", programs = ""] = text.split("\n\n");
  const byId = new Map(
    z
      .array(programSchema)
      .parse(JSON.parse(programs.trim() || "[]"))
      .map((program) => [program.id, program]),
  );
  const seen = new Set<number>();
  return pinned.split("\n").flatMap((line) => {
    const [, attachment, json] = line.match(/^(\S+) (\{.*\})$/) ?? [];
    if (!attachment || !json) return [];
    const program = byId.get(linkSchema.parse(JSON.parse(json)).prog_id);
    if (!program || seen.has(program.id)) return [];
    seen.add(program.id);
    const { name = String(program.id), run_time_ns: nanoseconds, run_cnt: runs } = program;
    return [{ node, attachment, program: name, nanoseconds, runs }];
  });
}

/** The difference between two readings; new programs count from their start. */
export function runTimeBetween(before: ProgramRunTime[], after: ProgramRunTime[]): ProgramRunTime[] {
  return after.map((now) => {
    const then = before.find(
      ({ node, attachment, program }) => node === now.node && attachment === now.attachment && program === now.program,
    );
    const fresh = !then || then.runs > now.runs;
    return {
      ...now,
      nanoseconds: now.nanoseconds - (fresh ? 0 : then.nanoseconds),
      runs: now.runs - (fresh ? 0 : then.runs),
    };
  });
}
