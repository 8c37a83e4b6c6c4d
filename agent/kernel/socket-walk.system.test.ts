import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { attacher } from "./attach.ts";
import { noKernel, temporaryBpffs } from "./bpffs.fixture.ts";
import { cgroupMount } from "./cgroup-mount.ts";
import {
  type OutlivedSocket,
  type Service,
  ServiceFlag,
  ServiceHandling,
  SOCKETS_TOLD,
  SOCKETS_WALKED,
} from "./layout.gen.ts";
import { type Loaded, load } from "./load.ts";
import { settings } from "./map-store.cases.ts";
import { enterNamespace } from "./namespace.fixture.ts";
import { namespaceCookie } from "./network-namespace.ts";
import { pinsUnder } from "./pins.ts";
import { plainService } from "./plain-service.fixture.ts";
import { destroySocket, identityOf } from "./sock-diag.ts";
import { outlivedSockets } from "./socket-walk.ts";
import { connectedWithPeer } from "./stored-peer.fixture.ts";

/** EBPF_DATAPLANE_OBJECTS: other objects to test (test/mutants). */
const objects = process.env.EBPF_DATAPLANE_OBJECTS ?? join(import.meta.dirname, "..", "..", "dist", "bpf");
const why = noKernel || (!existsSync(objects) && "SKIP: the programs are not built (make bpf)");
if (why) console.log(why);

/** Opens sockets and connects them, as it is told line by line; says what became of each. */
const PROGRAM = `
  const { createSocket } = require("node:dgram");
  const { connect, createServer } = require("node:net");
  const sockets = new Map();
  const say = (text) => console.log(text);
  require("node:readline").createInterface(process.stdin).on("line", async (line) => {
    const { name, how, address, port, count = 1 } = JSON.parse(line);
    if (how === "listen") return createServer().listen(port, address, () => say("listening"));
    if (how === "tcp") return connect(port, address, () => say("connected")).on("error", ({ code }) => say(code));
    if (how === "disconnect") return say(sockets.get(name).disconnect() ?? "disconnected");
    if (how === "connect again") return sockets.get(name).connect(port, address, () => say("connected"));
    for (let index = 0; index < count; index++) {
      const socket = createSocket({ type: how });
      if (index === 0) sockets.set(name, socket);
      const code = await new Promise((end) => {
        socket.on("error", ({ code }) => end(code));
        socket.connect(port, address, (error) => end(error?.code));
      });
      socket.removeAllListeners("error").on("error", ({ code }) => say(name + " " + code));
      if (code) return say(code);
    }
    say("connected");
  });`;

const [TCP, UDP] = [6, 17];
const LIST = 7;
const dns = plainService({ backendList: LIST, backendCount: 1 });
const [FRONTEND, FRONTEND6, BACKEND, BACKEND6] = ["10.96.0.10", "fd00:10:96::10", "192.0.2.11", "fd00:10:244::11"];
const CLIENT = "10.244.0.1";
const backend = { port: 5353, node: "::", flags: 0 };

describe.skipIf(why)("the walk over sockets", () => {
  const { folder, bpf } = temporaryBpffs();
  const namespace = enterNamespace();
  const pins = pinsUnder(join(bpf, "dataplane"));
  const cgroup = join(cgroupMount("/sys/fs/cgroup"), namespace);
  let loaded: Loaded;
  let cookie: bigint;

  beforeAll(() => {
    execFileSync("ip", ["addr", "add", `${BACKEND}/32`, "dev", "lo"]);
    execFileSync("ip", ["addr", "add", `${BACKEND6}/128`, "dev", "lo", "nodad"]);
    loaded = load({ objects, pins, logFile: join(folder, "verifier.log") });
    mkdirSync(cgroup);
    attacher(loaded, pins, false).cgroup(cgroup);
    cookie = BigInt(namespaceCookie() as string);
    return () => execFileSync("rmdir", [cgroup]);
  });

  beforeEach(async () => {
    const { frontends, backends, members, slots, namespaces, sourceRanges } = loaded.maps;
    frontends.delete(frontends.entries().map(([key]) => key));
    namespaces.update([[{ cookie }, { ipv4: CLIENT, ipv6: "fd00:10:244::1" }]]);
    use({});
    await expect.poll(told, { timeout: 60_000 }).toEqual([]); // the kernel removes closed sockets a little later
    for (const [address, place] of [
      [FRONTEND, { id: 11, list: LIST, address: BACKEND }],
      [FRONTEND6, { id: 12, list: LIST + 1, address: BACKEND6 }],
    ] as const)
      for (const protocol of [TCP, UDP]) {
        backends.update([[place.id, { ...backend, address: place.address, protocol }]]);
        slots.update([[{ backendList: place.list, index: 0 }, place.id]]);
        members.update([[{ backendList: place.list, backend: place.id }, 1]]);
        frontends.update([
          [
            { address, port: 53, protocol },
            { ...dns, backendList: place.list },
          ],
        ]);
      }
    sourceRanges.update([[{ prefixLength: 160, set: 5, client: CLIENT }, 1]]);
  });

  const use = (change: Partial<typeof settings>) =>
    loaded.maps.settings.update([[0, { ...settings, serviceHandling: ServiceHandling.TRANSLATED, ...change }]]);
  const serve = (change: Partial<Service> | undefined, address: string = FRONTEND, port = 53) => {
    const key = { address, port, protocol: UDP };
    if (change) loaded.maps.frontends.update([[key, { ...dns, ...change }]]);
    else loaded.maps.frontends.delete([key]);
  };
  const loseBackends = () => loaded.maps.members.delete(loaded.maps.members.entries().map(([key]) => key));
  const loseNamespace = () => [loseBackends(), loaded.maps.namespaces.delete([{ cookie }])];
  const pieces = (): OutlivedSocket[][] => [...outlivedSockets(loaded.programFd("outlived_sockets"), pins)];
  const walk = (): OutlivedSocket[] => pieces().flat();
  const told = () => walk().map(({ peer, isKept }) => `${peer.frontend}${isKept ? " is kept" : ""}`);

  /** A program of the namespace and the cgroup; ends with the test. */
  function start(): { ask: (asked: object) => Promise<string>; said: () => Promise<string> } {
    const enter = `echo $$ > ${cgroup}/cgroup.procs && exec ${process.execPath} -e '${PROGRAM}'`;
    const program: ChildProcess = spawn("sh", ["-c", enter], { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(async () => {
      const ended = new Promise((resolve) => program.once("exit", resolve));
      program.kill();
      await ended;
    });
    const lines: Interface = createInterface(program.stdout as NodeJS.ReadableStream & AsyncIterable<string>);
    const next = lines[Symbol.asyncIterator]();
    const said = async () => String((await next.next()).value);
    return {
      said,
      ask: (asked) => {
        program.stdin?.write(`${JSON.stringify(asked)}\n`);
        return said();
      },
    };
  }

  const KINDS = [
    { how: "udp4", address: FRONTEND, shown: FRONTEND },
    { how: "udp6", address: `::ffff:${FRONTEND}`, shown: FRONTEND },
    { how: "udp6", address: FRONTEND6, shown: FRONTEND6 },
  ];

  test.each(KINDS)(
    "a socket ($how) to $address is told of when its backend is gone, and can be ended",
    async (kind) => {
      const { ask, said } = start();
      expect(await ask({ name: "one", port: 53, ...kind })).toBe("connected");
      expect(told()).toEqual([]);
      loseBackends();
      const [socket, ...others] = walk();
      expect(others).toEqual([]);
      expect(socket).toMatchObject({ networkNamespace: cookie, isKept: 0, peer: { frontend: kind.shown, port: 5353 } });
      const found = { ...(socket as OutlivedSocket), identity: identityOf(socket as OutlivedSocket) };
      expect(destroySocket({ ...found, identity: identityOf({ ...found, cookie: found.cookie + 1n }) })).toBe("gone");
      expect(destroySocket(found)).toBe("destroyed");
      expect(await said()).toBe("one ECONNABORTED");
      expect(told()).toEqual([]);
    },
  );

  test.each<[string, () => unknown, string[]]>([
    ["its service is removed", () => serve(undefined), [FRONTEND]],
    ["its service has another list", () => serve({ backendList: 9 }), [FRONTEND]],
    ["it is not in the source ranges any more", () => serve({ sourceRanges: 6 }), [FRONTEND]],
    ["it is in the source ranges", () => serve({ sourceRanges: 5 }), []],
    ["its backend is gone and its namespace is not one of a workload or the node", () => loseNamespace(), []],
    ["its backend's address is a service's, too", () => serve({}, BACKEND, 5353), []],
  ])("what is told of a socket if %s", async (_, change, expected) => {
    expect(await start().ask({ name: "one", how: "udp4", address: FRONTEND, port: 53 })).toBe("connected");
    change();
    expect(told()).toEqual(expected);
  });

  test("kube-proxy then handles its service, but not its host port", async () => {
    expect(await start().ask({ name: "one", how: "udp4", address: FRONTEND, port: 53 })).toBe("connected");
    loseBackends();
    use({ serviceHandling: ServiceHandling.LEFT_TO_HOST });
    expect(told()).toEqual([]);
    serve({ flags: ServiceFlag.HOST_PORT });
    expect(told()).toEqual([FRONTEND]);
    serve(undefined);
    expect(told()).toEqual([FRONTEND]);
  });

  test("of a node's own socket, also that its backend's address is a service's", async () => {
    use({ hostNamespace: cookie, node: CLIENT });
    expect(await start().ask({ name: "one", how: "udp4", address: FRONTEND, port: 53 })).toBe("connected");
    expect(told()).toEqual([]);
    serve({}, BACKEND, 5353);
    expect(told()).toEqual([`${FRONTEND} is kept`]);
    loseBackends();
    expect(told()).toEqual([FRONTEND]);
  });

  test("a socket that was disconnected, or is connected to another address, is not told of", async () => {
    const { ask } = start();
    expect(await ask({ name: "one", how: "udp4", address: FRONTEND, port: 53 })).toBe("connected");
    loseBackends();
    expect(told()).toEqual([FRONTEND]);
    expect(await ask({ name: "one", how: "disconnect" })).toBe("disconnected");
    expect(told()).toEqual([]);
    expect(await ask({ name: "one", how: "connect again", address: "127.0.0.12", port: 5353 })).toBe("connected");
    expect(told()).toEqual([]);
  });

  test("a connection of TCP is not told of", async () => {
    const { ask } = start();
    expect(await ask({ how: "listen", address: BACKEND, port: 5353 })).toBe("listening");
    expect(await ask({ how: "tcp", address: FRONTEND, port: 53 })).toBe("connected");
    loseBackends();
    expect(told()).toEqual([]);
  });

  test("of many sockets, each piece is small, and none is left out", async () => {
    const count = SOCKETS_WALKED + SOCKETS_TOLD + 1;
    expect(await start().ask({ name: "one", how: "udp4", address: FRONTEND, port: 53, count })).toBe("connected");
    expect(pieces()).toEqual([[]]); // a read that ended early, with nothing to tell of
    loseBackends();
    const found = pieces();
    expect(Math.max(...found.map(({ length }) => length))).toBe(SOCKETS_TOLD);
    expect(found.flat()).toHaveLength(count);
    expect(new Set(found.flat().map(({ cookie }) => cookie)).size).toBe(count);
  });

  // As after a connect() that got a backend and then found no route.
  test.each([
    [BACKEND, [FRONTEND]],
    ["127.0.0.12", []],
  ])("what is told of a socket that is connected to %s", (address, expected) => {
    loseBackends();
    const peer = { frontend: FRONTEND, frontendPort: 53, address: BACKEND, port: 5353, backend: 11 };
    const socket = connectedWithPeer(pins, { address, port: 5353 }, peer);
    onTestFinished(() => closeSync(socket));
    expect(told()).toEqual(expected);
  });
});
