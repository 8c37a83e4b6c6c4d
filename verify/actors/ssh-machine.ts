import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RemoteMachine } from "../../components/documents/remote-machine.ts";
import type { Probe } from "../../probe/batch.ts";
import { portableBatch, readPortable } from "../../probe/portable.ts";
import { type Actor, longestBatchMs, type RunningCommand } from "./actor.ts";
import { type Language, startKeeper } from "./keeper.ts";
import { type RunningSsh, type SshIdentity, ssh, startSsh } from "./ssh.ts";

/** Exit status for a missing prober; no other program uses it. */
const MISSING = 87;
/** Its path: named by content, so that a new version never uses an old file. */
const place = (name: string): string => `"\${XDG_CACHE_HOME:-$HOME/.cache}/ebpf-dataplane/${name}"`;

/** Output of `uname -m`, and the name of the prober for it. */
const PROCESSORS: Record<string, string> = { x86_64: "amd64", aarch64: "arm64" };
const INSTALL_MS = 120_000;

/**
 * A machine that is accessed through OpenSSH's own client. It needs only a shell: a static prober is copied to its user's
 * cache if it is missing, and kept for the next run.
 *
 * @param probers folder of the probers, one per processor
 */
export function sshMachine(machine: RemoteMachine, identity: SshIdentity, probers: string): Actor {
  const name = `probe-${contentOf(probers)}`;
  const run = (command: string, input: string | Buffer, milliseconds: number) =>
    ssh(machine, identity, command, input, milliseconds);
  const install = async (processor: string): Promise<void> => {
    const prober = PROCESSORS[processor];
    if (!prober) throw new Error(`machine ${machine.name}: there is no prober for its processor ${processor}`);
    const [path, draft] = [place(name), place(`${name}.$$`)];
    const write = `cat > ${draft} && chmod 700 ${draft} && mv ${draft} ${path}`;
    const script = `umask 077; mkdir -p "$(dirname ${path})" && ${write}`;
    const { code, stderr } = await run(script, readFileSync(join(probers, prober)), INSTALL_MS);
    if (code !== 0) throw new Error(`machine ${machine.name}: the prober could not be copied there: ${stderr.trim()}`);
  };
  const present = `[ -x ${place(name)} ] || { uname -m; exit ${MISSING}; }`;
  /** Runs a command that needs the prober, which is copied there if it is missing. */
  const withProber = async (command: string, input: string, milliseconds: number) => {
    const attempt = () => run(`${present}; ${command}`, input, milliseconds);
    const ended = await attempt();
    if (ended.code !== MISSING) return ended;
    await install(ended.stdout.trim());
    return attempt();
  };
  const send = async (batch: Probe[]) => {
    const document = JSON.stringify(portableBatch(batch));
    const { code, stdout, stderr } = await withProber(`exec ${place(name)}`, document, longestBatchMs(batch));
    if (code !== 0)
      throw new Error(`machine ${machine.name}: ${stderr.trim() || `the prober ended with code ${code}`}`);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => readPortable(line, batch));
  };
  return {
    // Starting takes the CPU of another computer than the servers', so it is part of sending.
    prepare: async (batch) => ({ send: () => send(batch) }),
    keep: async () => {
      const { code, stderr } = await withProber("true", "", INSTALL_MS);
      if (code !== 0) throw new Error(`machine ${machine.name}: ${stderr.trim()}`);
      return startKeeper(
        `machine ${machine.name}`,
        async (onLine) => follow(startSsh(machine, identity, `exec ${place(name)} --session`), onLine),
        PORTABLE,
      );
    },
    listen: () =>
      Promise.reject(
        new Error(
          `machine ${machine.name} is accessed by SSH, where no probe server can run; allowed: machines of the lab and nodes`,
        ),
      ),
    // Captures need root and tcpdump, which a remote client need not have.
    capture: () =>
      Promise.reject(new Error(`machine ${machine.name} is accessed by SSH, where captures are not possible`)),
  };
}

/** The portable prober's session. */
const PORTABLE: Language = {
  question: (batch) => JSON.stringify(portableBatch(batch)),
  result: readPortable,
  announces: false,
};

function follow({ child, ended }: RunningSsh, onLine: (line: string) => void): RunningCommand {
  createInterface(child.stdout).on("line", onLine);
  return { write: (text) => void child.stdin.write(text), abort: () => void child.kill(), ended };
}

function contentOf(probers: string): string {
  const hash = createHash("sha256");
  for (const processor of Object.values(PROCESSORS)) {
    const path = join(probers, processor);
    if (!existsSync(path)) throw new Error(`there is no prober for machines over SSH at ${path}: make build`);
    hash.update(readFileSync(path));
  }
  return hash.digest("hex").slice(0, 12);
}
