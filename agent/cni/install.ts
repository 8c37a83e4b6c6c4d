import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../process/replace-file.ts";

export const PLUGIN = "ebpf-dataplane";
const CONFLIST = `05-${PLUGIN}.conflist`;

export interface InstallOptions {
  /** The compiled shim. */
  readonly binary: string;
  /** The node's /opt/cni/bin and /etc/cni/net.d, as paths in this container. */
  readonly binFolder: string;
  readonly confFolder: string;
  /** The agent's socket, as a path on the node. */
  readonly socket: string;
}

/** Installs the plugin for the container runtime; from then on kubelet reports the node as Ready. Written by rename,
 * because the runtime may read at any time; the binary first, because the configuration refers to it. */
export function installPlugin({ binary, binFolder, confFolder, socket }: InstallOptions): void {
  mkdirSync(binFolder, { recursive: true });
  mkdirSync(confFolder, { recursive: true });
  installBinary(binary, join(binFolder, PLUGIN));
  // Runtimes before containerd 2 also need this plugin; most distributions install it.
  if (!existsSync(join(binFolder, "loopback"))) installBinary(binary, join(binFolder, "loopback"));
  const conflist = { cniVersion: "1.0.0", name: PLUGIN, plugins: [{ type: PLUGIN, socket }] };
  replace(join(confFolder, CONFLIST), `${JSON.stringify(conflist, null, 2)}\n`);
}

/** Removes the plugin; the runtime then uses any other configuration that exists. */
export function uninstallPlugin({ binFolder, confFolder, binary }: Omit<InstallOptions, "socket">): void {
  rmSync(join(confFolder, CONFLIST), { force: true });
  for (const name of [PLUGIN, "loopback"]) {
    const path = join(binFolder, name);
    if (existsSync(path) && sameContent(path, binary)) rmSync(path);
  }
}

function installBinary(from: string, to: string): void {
  if (existsSync(to) && sameContent(from, to)) return;
  written(to, (draft) => {
    copyFileSync(from, draft);
    chmodSync(draft, 0o755);
  });
}

function replace(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  written(path, (draft) => writeFileSync(draft, text));
}

function written(path: string, write: (draft: string) => void): void {
  try {
    replaceFile(path, write);
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Error(`Cannot install the network plugin: ${message}; the agent tries again when it restarts.`, {
      cause,
    });
  }
}

function sameContent(a: string, b: string): boolean {
  return readFileSync(a).equals(readFileSync(b));
}
