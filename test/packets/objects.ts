import { join } from "node:path";
import { compileObjects, includes, objects, objectsAreFresh } from "../../tools/bpf.ts";
import { run } from "../../tools/command.ts";

/** The dataplane's objects, compiled if necessary, and the preamble's, in `folder`. EBPF_DATAPLANE_OBJECTS: other objects to
 * test (test/mutants). */
export async function preparedObjects(folder: string): Promise<{ objects: string; preamble: string }> {
  const others = process.env.EBPF_DATAPLANE_OBJECTS;
  if (!others && !objectsAreFresh()) await compileObjects();
  const preamble = join(folder, "preamble.bpf.o");
  const source = join(import.meta.dirname, "preamble.bpf.c");
  await run("clang", ["-O2", "-g", "-target", "bpf", "-mcpu=v3", ...includes(), "-c", source, "-o", preamble]);
  return { objects: others ?? objects, preamble };
}
