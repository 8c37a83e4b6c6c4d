// Debian's kernels and some of their modules, extracted from downloaded packages; nothing is installed.
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder, contentKey, removeAbandoned } from "../../tools/cache.ts";
import { claim, claimed } from "../../tools/claims.ts";
import { run } from "../../tools/command.ts";
import { type Apt, aptOf } from "../../tools/images/apt.ts";
import type { Processor } from "../../tools/images/processor.ts";
import { inLoadOrder, moduleName } from "./modules.ts";

export interface DebianKernel {
  readonly kernel: string;
  /** Modules, which are not part of the kernel itself, in the order in which they can be loaded. */
  readonly modules: readonly string[];
}

/** Of Debian 12's: the oldest that the project supports. */
export const SERIES = ["6.1"] as const;
export type Series = (typeof SERIES)[number];

/** What guests need; some kernels have some of it built in. */
const MODULES = [
  ...["veth", "bridge", "vxlan", "wireguard"],
  ...["sch_ingress", "cls_bpf"],
  ...["crc32c_generic", "nf_tables"], // asks for an implementation of the checksum by its name
  ...["inet_diag", "tcp_diag", "udp_diag"],
  ...["virtio_pci", "virtio_net"],
];
/** Folders of the package's modules in which these, and what they need, are. */
const FOLDERS = ["arch", "crypto", "drivers/net", "drivers/virtio", "lib", "net"];

/** @returns paths in the cache; @throws Error when the package cannot be downloaded */
export async function debianKernel(processor: Processor, series: Series): Promise<DebianKernel> {
  const cache = cacheFolder("kernels", processor.name, series);
  const kept = join(cache, `guest-${contentKey({ modules: MODULES.join(" ") })}`);
  const meta = `linux-image-${processor.name}`;
  claim(`kernel-${series.replace(".", "-")}-${processor.name}`, [kept]);
  if (!existsSync(join(kept, "order.json"))) await unpack(processor, meta, cache, kept);
  const order = JSON.parse(readFileSync(join(kept, "order.json"), "utf8")) as { kernel: string; modules: string[] };
  return { kernel: join(kept, order.kernel), modules: order.modules.map((name) => join(kept, name)) };
}

async function unpack(processor: Processor, meta: string, cache: string, kept: string): Promise<void> {
  removeAbandoned(globSync(join(cache, "{download,draft}-*")));
  const [download, draft] = ["download-", "draft-"].map((name) => mkdtempSync(join(cache, name))) as [string, string];
  try {
    const archive = await downloaded(aptOf(processor), meta, download);
    const files = [
      ...["./boot/vmlinuz-*", "./lib/modules/*/modules.builtin"],
      ...FOLDERS.map((folder) => `./lib/modules/*/kernel/${folder}/*`),
    ];
    const extract = 'dpkg-deb --fsys-tarfile "$0" | tar -x --wildcards "$@"';
    await run("sh", ["-c", extract, archive, ...files], { cwd: download });
    const [kernel] = globSync(join(download, "boot", "vmlinuz-*"));
    if (!kernel) throw new Error(`the package ${basename(archive)} holds no boot/vmlinuz`);
    const [builtIn = ""] = globSync(join(download, "lib/modules/*/modules.builtin")).map((path) =>
      readFileSync(path, "utf8"),
    );
    const modules = inLoadOrder(
      MODULES,
      globSync(join(download, "lib/modules/*/kernel/**/*.ko{,.xz}")),
      new Set(builtIn.split("\n").map(moduleName)),
      uncompressed,
    );
    copyFileSync(kernel, join(draft, basename(kernel)));
    for (const path of modules) writeFileSync(join(draft, basename(path, ".xz")), uncompressed(path));
    const order = { kernel: basename(kernel), modules: modules.map((path) => basename(path, ".xz")) };
    writeFileSync(join(draft, "order.json"), JSON.stringify(order));
    const inUse = claimed();
    const former = globSync(join(cache, "guest-*")).filter((old) => old !== kept && !inUse.includes(old));
    for (const old of former) rmSync(old, { recursive: true, force: true });
    // Another test may have made the same meanwhile.
    if (!existsSync(kept)) renameSync(draft, kept);
  } finally {
    for (const folder of [download, draft]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Newer kernels' modules are compressed. */
function uncompressed(path: string): Buffer {
  return path.endsWith(".xz")
    ? execFileSync("xz", ["--decompress", "--stdout", path], { maxBuffer: 1 << 28 })
    : readFileSync(path);
}

/** `meta` is empty, and depends on the newest kernel's package. Lists can name one that Debian has replaced. */
async function downloaded(apt: Apt, meta: string, folder: string): Promise<string> {
  const attempt = async () => {
    const name = /Depends: (linux-image-\S+)/.exec(await apt.ask("depends", meta))?.[1];
    if (!name) throw new Error(`Debian's package ${meta} names no kernel`);
    await apt.getIn(folder, "download", name);
    const [archive] = globSync(join(folder, "*.deb"));
    if (!archive) throw new Error(`apt-get download ${name} left no package`);
    return archive;
  };
  const listed = apt.isListed() ? await attempt().catch(() => undefined) : undefined;
  if (listed) return listed;
  await apt.get("update");
  return attempt();
}
