import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Preview, previewSchema } from "../document.ts";

const root = join(import.meta.dirname, "..", "..");

/**
 * Previews a stack of this checkout, or another program, with the runner as a user does, but in an empty folder: earlier deployments
 * from the checkout must not affect a test.
 * @param program source of a program to use instead of the checkout's own
 */
export async function runPreview(stack: string, program?: string): Promise<Preview> {
  const folder = mkdtempSync(join(tmpdir(), "preview-"));
  try {
    const main = program === undefined ? join(root, "index.ts") : join(folder, "program.ts");
    if (program !== undefined) writeFileSync(main, program);
    writeFileSync(join(folder, "Pulumi.yaml"), `name: ebpf-dataplane\nruntime: nodejs\nmain: ${main}\n`);
    for (const name of ["node_modules", "components"]) symlinkSync(join(root, name), join(folder, name));
    if (program === undefined) copyFileSync(join(root, `Pulumi.${stack}.yaml`), join(folder, `Pulumi.${stack}.yaml`));
    const { EBPF_DATAPLANE_LAB: _, ...env } = process.env;
    const words = ["--no-warnings", join(root, "runner", "main.ts"), "preview", "--no-cli", "--json", "--stack", stack];
    const child = spawn(process.execPath, [...words, "--cwd", folder], { env, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise((resolve) => child.on("close", resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if ((await ended) !== 0) throw new Error(stderr);
    return previewSchema.parse(JSON.parse(stdout));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
