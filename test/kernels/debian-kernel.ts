// Debian's kernel, as a file: its package is downloaded and one file taken out of it; nothing is installed.
import { existsSync, globSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../tools/cache.ts";
import { run } from "../../tools/command.ts";

/** @returns path of the kernel, in the cache; @throws Error when the package cannot be had */
export async function debianKernel(): Promise<string> {
  const cache = cacheFolder("kernels");
  const [kept] = globSync(join(cache, "vmlinuz-*"));
  if (kept) return kept;
  const draft = mkdtempSync(join(cache, "download-"));
  try {
    const name = await packageName();
    await run("apt-get", ["download", name], { cwd: draft, timeoutSeconds: 300 });
    const [archive] = globSync(join(draft, "*.deb"));
    if (!archive) throw new Error(`apt-get download ${name} left no package`);
    await run("sh", ["-c", `dpkg-deb --fsys-tarfile "$1" | tar -x --wildcards './boot/vmlinuz-*'`, "sh", archive], {
      cwd: draft,
    });
    const [kernel] = globSync(join(draft, "boot", "vmlinuz-*"));
    if (!kernel) throw new Error(`the package ${name} holds no boot/vmlinuz`);
    const place = join(cache, kernel.split("/").at(-1) as string);
    renameSync(kernel, place);
    return place;
  } finally {
    rmSync(draft, { recursive: true });
  }
}

/** linux-image-amd64 is empty, and depends on the newest kernel's package. */
async function packageName(): Promise<string> {
  const ask = async () =>
    /Depends: (linux-image-\S+)/.exec(await run("apt-cache", ["depends", "linux-image-amd64"]))?.[1];
  const listed = existsSync("/var/lib/apt/lists") ? await ask().catch(() => undefined) : undefined;
  if (listed) return listed;
  await run("apt-get", ["update"], { timeoutSeconds: 300 });
  const name = await ask();
  if (!name) throw new Error("Debian's package linux-image-amd64 names no kernel");
  return name;
}
