// Debian's kernel and one module, extracted from its downloaded package; nothing is installed.
import { existsSync, globSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder } from "../../tools/cache.ts";
import { run } from "../../tools/command.ts";

export interface DebianKernel {
  readonly kernel: string;
  /** The module of veth pairs, which is not part of the kernel itself. */
  readonly veth: string;
}

/** @returns paths in the cache; @throws Error when the package cannot be downloaded */
export async function debianKernel(): Promise<DebianKernel> {
  const cache = cacheFolder("kernels");
  const kept = keptIn(cache);
  if (kept) return kept;
  const draft = mkdtempSync(join(cache, "download-"));
  try {
    const name = await packageName();
    await run("apt-get", ["download", name], { cwd: draft, timeoutSeconds: 300 });
    const [archive] = globSync(join(draft, "*.deb"));
    if (!archive) throw new Error(`apt-get download ${name} left no package`);
    const files = ["./boot/vmlinuz-*", "./lib/modules/*/kernel/drivers/net/veth.ko"];
    const unpack = 'dpkg-deb --fsys-tarfile "$0" | tar -x --wildcards "$@"';
    await run("sh", ["-c", unpack, archive, ...files], { cwd: draft });
    const [kernel] = globSync(join(draft, "boot", "vmlinuz-*"));
    const [veth] = globSync(join(draft, "lib/modules/*/kernel/drivers/net/veth.ko"));
    if (!kernel || !veth) throw new Error(`the package ${name} holds no boot/vmlinuz, or no veth.ko`);
    const release = basename(kernel).replace("vmlinuz-", "");
    for (const old of globSync(join(cache, "{vmlinuz,veth}-*"))) rmSync(old);
    renameSync(veth, join(cache, `veth-${release}.ko`));
    renameSync(kernel, join(cache, basename(kernel)));
    return keptIn(cache) as DebianKernel;
  } finally {
    rmSync(draft, { recursive: true });
  }
}

function keptIn(cache: string): DebianKernel | undefined {
  const [kernel] = globSync(join(cache, "vmlinuz-*"));
  const [veth] = globSync(join(cache, "veth-*.ko"));
  return kernel && veth ? { kernel, veth } : undefined;
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
