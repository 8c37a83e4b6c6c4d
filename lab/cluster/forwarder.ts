import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import { API_SERVER_PORT } from "../../components/documents/defaults.ts";
import { LabFailure } from "../failure.ts";
import { program } from "../installation.ts";
import { register } from "../journal.ts";
import { identify, type ProcessIdentity } from "../machines/processes.ts";
import { labFolder, machineNamespace } from "../names.ts";

/** Where the search for a port starts. Each lab prefers its own port, so that kubeconfigs stay valid across down and up. */
const [firstPort, ports] = [16_443, 1000];

function preferredPort(lab: string): number {
  let hash = 0;
  for (const character of lab) hash = (hash * 31 + character.charCodeAt(0)) % ports;
  return firstPort + hash;
}

async function listenFrom(port: number, host: string): Promise<Server> {
  for (let candidate = port; candidate < port + 100; candidate++) {
    const server = createServer().listen({ host, port: candidate });
    try {
      await once(server, "listening");
      return server;
    } catch {
      // in use: try the next one
    }
  }
  throw new LabFailure(`no port from ${port} to ${port + 99} is free on ${host} for the API server's forwarder`);
}

/** The listening socket's descriptor, to pass it to another process; Node has no public API for it. */
function descriptor(server: Server): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

/**
 * Starts the process through which this host reaches a lab's API server. The listening socket is created here, in the host's
 * network namespace, and passed to a process in the control plane's namespace, which accepts here and connects there.
 */
export async function startForwarder(
  lab: string,
  controlPlane: string,
  port = preferredPort(lab),
  host = "127.0.0.1",
): Promise<ProcessIdentity & { port: number }> {
  const server = await listenFrom(port, host);
  const chosen = (server.address() as { port: number }).port;
  const log = openSync(join(labFolder(lab), "forwarder.log"), "a");
  const namespace = `--net=/run/netns/${machineNamespace(lab, controlPlane)}`;
  const child: ChildProcess = spawn("nsenter", [namespace, process.execPath, ...program(), "forward", lab], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log, descriptor(server)],
  });
  const identity = identify(child.pid as number);
  if (!identity) throw new LabFailure(`cannot start the forwarder to the API server of lab ${lab}`);
  register(lab, { kind: "process", ...identity, role: "forwarder" });
  child.unref();
  server.close();
  return { ...identity, port: chosen };
}

/** The forwarder itself: accepts on descriptor 3 and connects to the API server of its own network namespace. */
export function forward(): void {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const target = createConnection({ host: "127.0.0.1", port: API_SERVER_PORT, allowHalfOpen: true });
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.pipe(to); // which also passes on the end of each direction
      from.on("error", () => to.destroy());
    }
  });
  server.listen({ fd: 3 });
}
