import { LabFailure } from "./failure.ts";
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

/** @throws LabFailure if this host cannot run a lab, with the requirements. */
export async function requireHost(): Promise<void> {
  if (process.platform !== "linux") throw new LabFailure(`a lab needs Linux; this is ${process.platform}`);
  if (process.getuid?.() !== 0)
    throw new LabFailure("a lab needs root: its machines are namespaces of this host", { next: "run it as root" });
  const found = await attempt(["sh", "-c", `for p in ${Object.keys(programs).join(" ")}; do command -v $p; done`]);
  const missing = Object.entries(programs).filter(([name]) => !new RegExp(`(^|/)${name}$`, "m").test(found.stdout));
  if (missing.length > 0)
    throw new LabFailure(`this host lacks ${missing.map(([name]) => name).join(", ")}`, {
      next: `install the packages ${[...new Set(missing.map(([, name]) => name))].join(" ")}`,
    });
}
