import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { LabFailure } from "./failure.ts";
import { type Hierarchy, hostHierarchies } from "./machines/cgroups.ts";
import { attempt } from "./machines/command.ts";

/** Programs of the host that the lab calls, and the Debian package of each. */
const programs = {
  ip: "iproute2",
  nsenter: "util-linux",
  unshare: "util-linux",
  setpriv: "util-linux",
  containerd: "containerd",
  runc: "runc",
};

const OLDEST_KERNEL = { major: 6, minor: 1 };
/** The kernel's own types, which programs are loaded with. */
const TYPES = "/sys/kernel/btf/vmlinux";

/** @throws LabFailure if the dataplane's programs cannot be loaded into a kernel of this release. */
export function requireKernel(found: string, hasTypes: boolean): void {
  const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(found) ?? []).map(Number);
  const { major: oldest, minor: least } = OLDEST_KERNEL;
  const next = "use a machine with a newer kernel; in a container the kernel is the container engine's";
  if (major < oldest || (major === oldest && minor < least))
    throw new LabFailure(`a lab needs Linux ${oldest}.${least} or later; this kernel is ${found}`, { next });
  if (!hasTypes) throw new LabFailure(`a lab needs a kernel with BTF; ${TYPES} of ${found} is missing`, { next });
}

/** capability(7): numbers of those without which root cannot make machines. */
const CAPABILITIES = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n, CAP_BPF: 39n };

/** @param status /proc/self/status. @throws LabFailure if this root lacks rights, as it does in most containers. */
export function requireRights(status: string): void {
  const rights = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const missing = Object.entries(CAPABILITIES).flatMap(([name, bit]) => (rights & (1n << bit) ? [] : name));
  if (missing.length > 0)
    throw new LabFailure(`a lab needs all rights of root; here root lacks ${missing.join(", ")}`, {
      next: "in a container, run it with --privileged (.devcontainer does)",
    });
}

/** @throws LabFailure without a mount of cgroup2, which agents attach to sockets by. */
export function requireCgroup2(hierarchies: readonly Pick<Hierarchy, "type" | "path">[]): void {
  if (hierarchies.some(({ type }) => type === "cgroup2")) return;
  const found = hierarchies.length > 0 ? "cgroup v1 alone is mounted here" : "no cgroups are mounted here";
  throw new LabFailure(`a lab needs cgroup2; ${found}, as in containers of a host that has both`, {
    next: "mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified (.devcontainer does)",
  });
}

/** @throws LabFailure where there can be no labs, or this user may not see them. */
export function requireRoot(): void {
  if (process.platform !== "linux") throw new LabFailure(`a lab needs Linux; this is ${process.platform}`);
  if (process.getuid?.() !== 0)
    throw new LabFailure("a lab needs root: its machines are namespaces of this host", { next: "run it as root" });
}

/** @throws LabFailure if this host cannot run a lab, with the requirements. */
export async function requireHost(): Promise<void> {
  requireRoot();
  requireRights(readFileSync("/proc/self/status", "utf8"));
  requireKernel(release(), existsSync(TYPES));
  requireCgroup2(hostHierarchies());
  const found = await attempt(["sh", "-c", `for p in ${Object.keys(programs).join(" ")}; do command -v $p; done`]);
  const missing = Object.entries(programs).filter(([name]) => !new RegExp(`(^|/)${name}$`, "m").test(found.stdout));
  if (missing.length > 0)
    throw new LabFailure(`this host lacks ${missing.map(([name]) => name).join(", ")}`, {
      next: `install the packages ${[...new Set(missing.map(([, name]) => name))].join(" ")}`,
    });
}
