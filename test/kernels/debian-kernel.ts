// Debian's kernel and some modules, extracted from its downloaded package; nothing is installed.
import { existsSync, globSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder } from "../../tools/cache.ts";
import { run } from "../../tools/command.ts";

export interface DebianKernel {
  readonly kernel: string;
  /** Modules, which are not part of the kernel itself, in the order in which they can be loaded. */
  readonly modules: readonly string[];
}

/** Below kernel/ in the package. What a module needs comes before it. */
const MODULES = [
  "drivers/net/veth",
  "net/ipv4/udp_tunnel",
  "net/ipv6/ip6_udp_tunnel",
  "drivers/net/vxlan/vxlan",
  "net/sched/sch_ingress",
  "net/sched/cls_bpf",
  "lib/crypto/libchacha",
  "arch/x86/crypto/chacha-x86_64",
  "arch/x86/crypto/poly1305-x86_64",
  "lib/crypto/libchacha20poly1305",
  "lib/crypto/libcurve25519-generic",
  "arch/x86/crypto/curve25519-x86_64",
  "drivers/net/wireguard/wireguard",
];

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
    const files = ["./boot/vmlinuz-*", ...MODULES.map((path) => `./lib/modules/*/kernel/${path}.ko`)];
    const unpack = 'dpkg-deb --fsys-tarfile "$0" | tar -x --wildcards "$@"';
    await run("sh", ["-c", unpack, archive, ...files], { cwd: draft });
    const [kernel] = globSync(join(draft, "boot", "vmlinuz-*"));
    if (!kernel) throw new Error(`the package ${name} holds no boot/vmlinuz`);
    const release = basename(kernel).replace("vmlinuz-", "");
    for (const path of MODULES) {
      const [module] = globSync(join(draft, `lib/modules/*/kernel/${path}.ko`));
      if (!module) throw new Error(`the package ${name} holds no ${path}.ko`);
      renameSync(module, join(cache, `${basename(path)}-${release}.ko`));
    }
    renameSync(kernel, join(cache, basename(kernel)));
    for (const old of globSync(join(cache, "{vmlinuz-,*.ko}*"))) if (!basename(old).includes(release)) rmSync(old);
    return keptIn(cache) as DebianKernel;
  } finally {
    rmSync(draft, { recursive: true });
  }
}

function keptIn(cache: string): DebianKernel | undefined {
  const [kernel = ""] = globSync(join(cache, "vmlinuz-*"));
  const release = basename(kernel).replace("vmlinuz-", "");
  const modules = MODULES.map((path) => join(cache, `${basename(path)}-${release}.ko`));
  return kernel && modules.every((path) => existsSync(path)) ? { kernel, modules } : undefined;
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
