import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const SYSTEM = "/var/cache/ebpf-dataplane";
const OWN = "ebpf-dataplane";

/** The facts that decide where the cache is. */
export interface Computer {
  env: Record<string, string | undefined>;
  platform: string;
  /** Whether this user may write to the system's cache, or create it. */
  ownsSystem: boolean;
  home: string;
}

/** The same folder as `tools/cache-folder` prints, also for an installed package: the system's cache if this user may write there, else the user's own. */
export function cacheFolder({ env, platform, ownsSystem, home }: Computer = thisComputer()): string {
  if (env.EBPF_DATAPLANE_CACHE) return env.EBPF_DATAPLANE_CACHE;
  if (platform === "linux" && ownsSystem) return SYSTEM;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, OWN);
  return platform === "darwin" ? join(home, "Library", "Caches", OWN) : join(home, ".cache", OWN);
}

const thisComputer = (): Computer => ({
  env: process.env,
  platform: process.platform,
  ownsSystem: process.getuid?.() === 0 || mayWrite(SYSTEM),
  home: homedir(),
});

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
