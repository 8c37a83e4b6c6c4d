// Compiles objects with the real maps and hooks whose programs let everything pass, so that tests of loading and attaching
// do not depend on the packet path.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { objectNames, type ProgramName, programNames, programs } from "./programs.ts";

const repository = join(import.meta.dirname, "..", "..");

/** Writes the objects into `folder`. Another `variant` (a C expression) gives programs with
 * another tag. */
export function compilePassObjects(folder: string, variant: number | string = 0): void {
  mkdirSync(folder, { recursive: true });
  for (const object of objectNames) {
    const source = join(folder, `${object}.bpf.c`);
    writeFileSync(source, sourceOf(object, variant));
    const include = ["-I", join(repository, "bpf"), `-I/usr/include/${machine()}-linux-gnu`];
    const output = join(folder, `${object}.bpf.o`);
    execFileSync("clang", ["-O2", "-g", "-target", "bpf", ...include, "-c", source, "-o", output]);
  }
}

function sourceOf(object: string, variant: number | string): string {
  const own = programNames.filter((name) => programs[name].object === object);
  return [
    ...readdirSync(join(repository, "bpf", "maps")).map((name) => `#include "maps/${name}"`),
    ...own.map((name) => programText(name, variant)),
    'char LICENSE[] SEC("license") = "GPL";',
  ].join("\n");
}

function programText(name: ProgramName, variant: number | string): string {
  if (programs[name].hook.kind === "cgroup") {
    return `SEC("cgroup/${name}") int ${name}(struct bpf_sock_addr *context) { return 1; }`;
  }
  const isXdp = programs[name].hook.kind === "xdp";
  // Counts under a fixed outcome, so that a test sees which variant a packet ran.
  return `SEC("${isXdp ? "xdp" : "tc"}") int ${name}(struct ${isXdp ? "xdp_md" : "__sk_buff"} *packet) {
    __u32 outcome = ${variant};
    struct outcome_counter *counter = bpf_map_lookup_elem(&outcomes, &outcome);
    if (counter) { counter->packets++; counter->bytes += ${isXdp ? "packet->data_end - packet->data" : "packet->len"}; }
    return ${isXdp ? "XDP_PASS" : name.endsWith("_workload") ? "0" : "-1"}; // at a workload the packet's path ends, as with the real programs
  }`;
}

function machine(): string {
  return execFileSync("uname", ["-m"], { encoding: "utf8" }).trim();
}
