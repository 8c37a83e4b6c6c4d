import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Connection, RemoteMachine } from "../../components/documents/remote-machine.ts";

/** The user. */
export interface SshIdentity {
  /** Content of a private key; absent: the keys of OpenSSH's agent and configuration. */
  privateKey?: string;
}

export interface SshEnding {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** OpenSSH's exit status for its own errors. */
const FAILED = 255;
/** Seconds in which a server must accept a connection; a silent one is given up after three times ALIVE. */
const [CONNECT, ALIVE] = [20, 10];

/**
 * Runs a command on a machine through OpenSSH's client, with its configuration (jump hosts, agents, hardware keys). During the call,
 * secrets are in a file of this user, never in arguments.
 * @throws Error with a message for users when the machine cannot be accessed
 */
export async function ssh(
  machine: RemoteMachine,
  identity: SshIdentity,
  command: string,
  input: string | Buffer,
  milliseconds: number,
): Promise<SshEnding> {
  const { child, ended } = startSsh(machine, identity, command, milliseconds);
  child.stdin.end(input);
  const [{ code, stderr }, stdout] = await Promise.all([ended, text(child.stdout)]);
  return { code, stdout, stderr };
}

/** A command that runs on a machine. */
export interface RunningSsh {
  child: ChildProcessWithoutNullStreams;
  /** Rejects with a message for users when the machine cannot be accessed, or when the time is up. */
  ended: Promise<Omit<SshEnding, "stdout">>;
}

/** Starts a command there, as above. @param milliseconds absent: until its input ends */
export function startSsh(
  machine: RemoteMachine,
  identity: SshIdentity,
  command: string,
  milliseconds?: number,
): RunningSsh {
  const folder = mkdtempSync(join(tmpdir(), "ssh-"));
  const forget = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", forget);
  const words = [...options(machine.ssh, identity, folder), "--", machine.ssh.host, command];
  const child = spawn("ssh", words, { stdio: ["pipe", "pipe", "pipe"], timeout: milliseconds });
  // A command that exits early prints the reason; EPIPE would hide it.
  child.stdin.on("error", () => {});
  const code = new Promise<number | null>((resolve, reject) => {
    child.once("error", ({ message }) => reject(new Error(`${message}. Next: apt-get install openssh-client`)));
    child.once("close", resolve);
  });
  const ended = Promise.all([code, text(child.stderr)])
    .then(([code, stderr]) => {
      if (code === null)
        throw new Error(milliseconds ? `no answer within ${Math.round(milliseconds / 1000)} s` : "it was ended");
      if (code === FAILED) throw new Error(explained(stderr, machine.ssh));
      return { code, stderr };
    })
    .catch((error: Error) => {
      throw new Error(`machine ${machine.name}: ssh to ${shown(machine.ssh)}: ${error.message}`);
    })
    .finally(() => {
      forget();
      process.off("exit", forget);
    });
  return { child, ended };
}

function options(connection: Connection, { privateKey }: SshIdentity, folder: string): string[] {
  const { port, user, hostKey, hostKeyChecking, proxyCommand } = connection;
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content.endsWith("\n") ? content : `${content}\n`, { mode: 0o600 });
    return path;
  };
  const settings = [
    "BatchMode=yes",
    "LogLevel=ERROR",
    `ConnectTimeout=${CONNECT}`,
    `ServerAliveInterval=${ALIVE}`,
    ...(privateKey ? ["IdentitiesOnly=yes", `IdentityFile=${file("key", privateKey)}`] : []),
    `StrictHostKeyChecking=${hostKeyChecking === "off" ? "no" : "yes"}`,
    ...(hostKeyChecking === "off" ? noKnownHosts("/dev/null") : []),
    ...(hostKeyChecking !== "off" && hostKey ? noKnownHosts(file("known_hosts", `* ${hostKey}`)) : []),
    ...(proxyCommand ? [`ProxyCommand=${proxyCommand}`] : []),
  ];
  return [
    "-T",
    ...settings.flatMap((setting) => ["-o", setting]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-l", user]),
  ];
}

const noKnownHosts = (but: string): string[] => [`UserKnownHostsFile=${but}`, "GlobalKnownHostsFile=/dev/null"];

const shown = ({ user, host, port }: Connection): string =>
  `${user ? `${user}@` : ""}${host}${port === undefined ? "" : ` port ${port}`}`;

/** OpenSSH's own message, and the next step. */
function explained(stderr: string, { hostKey }: Connection): string {
  // A proxy's message comes before OpenSSH's own.
  const lines = stderr.split("\n").flatMap((line) => line.trim() || []);
  const last = lines.slice(-2).join("; ").replace(/\.$/, "") || "it failed without a message";
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/.test(stderr))
    return `its host key is not ${hostKey ? "the one that was given" : "in known_hosts"}. Next: compare it with the machine's own (its console, ssh-keyscan), and give it as hostKey`;
  if (/Permission denied/.test(last)) return `${last}. Next: check that this key belongs to that user there.`;
  return `${last}. Next: check that it runs, and that its firewall allows this computer.`;
}
