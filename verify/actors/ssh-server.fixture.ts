import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RemoteMachine } from "../../components/documents/remote-machine.ts";

const SSHD = "/usr/sbin/sshd";
/** Why no SSH server can run here, or false. */
export const noSshServer =
  (process.getuid?.() !== 0 && "SKIP: an SSH server in a network namespace needs root") ||
  (!existsSync(SSHD) && "SKIP: there is no SSH server (apt-get install openssh-server)");

/** A real SSH server, started for each connection inside a network namespace: nothing listens anywhere. */
export function sshServer(netns: string) {
  const folder = mkdtempSync(join(tmpdir(), "ssh-server-"));
  const file = (name: string) => join(folder, name);
  for (const key of ["host", "user", "stranger"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", file(key)]);
  }
  writeFileSync(
    file("configuration"),
    [
      `HostKey ${file("host")}`,
      `AuthorizedKeysFile ${file("user.pub")}`,
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin prohibit-password",
      `SetEnv XDG_CACHE_HOME=${file("cache")}`,
    ].join("\n"),
  );
  const read = (name: string) => readFileSync(file(name), "utf8").trim();
  // sshd needs /run/sshd, which is missing where the service never ran. It gets its own /run: another test run must not
  // depend on what this one creates and removes.
  const ownRun =
    "unshare --mount --propagation private sh -c 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec \"$@\"' sh";
  const machine = (more: Partial<RemoteMachine["ssh"]> = {}): RemoteMachine => ({
    name: "client1",
    address: "10.99.0.1",
    ssh: {
      host: "client1.example",
      user: "root",
      hostKey: read("host.pub"),
      hostKeyChecking: "strict",
      proxyCommand: `nsenter --net=/run/netns/${netns} ${ownRun} ${SSHD} -i -f ${file("configuration")}`,
      ...more,
    },
  });
  return {
    machine,
    key: (name: "user" | "stranger") => ({ privateKey: read(name) }),
    strangersHostKey: read("stranger.pub"),
    cache: file("cache/ebpf-dataplane"),
    close: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
