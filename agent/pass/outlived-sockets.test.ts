import { expect, test } from "vitest";
import {
  type OutlivedSocket,
  type Service,
  ServiceHandling,
  type Settings,
  SOCKETS_TOLD,
} from "../kernel/layout.gen.ts";
import type { ConnectedSocket, destroySocket } from "../kernel/sock-diag.ts";
import type { Logger } from "../observe/log.ts";
import { OutlivedSockets, type OutlivedSocketsParts, TRIED_AT_MOST } from "./outlived-sockets.ts";

const [NODE, POD, OTHER] = [1n, 2n, 3n];

const told = (cookie: number, networkNamespace: bigint, isKept = 0): OutlivedSocket => ({
  cookie: BigInt(cookie),
  networkNamespace,
  peer: { frontend: "10.96.0.10", frontendPort: 53, address: "10.244.0.5", port: 5353, backend: 11 },
  source: "10.244.0.9",
  sourcePort: cookie & 0xffff,
  family: 2,
  interface: 0,
  isKept,
});

const ofNode = (cookie: number, address: string): ConnectedSocket => {
  const identity = new Uint8Array(48);
  new DataView(identity.buffer).setBigUint64(40, BigInt(cookie), true);
  return { family: 2, address, port: 53, cookie: BigInt(cookie), identity };
};

/** A pass over these sockets, and what it did. */
async function passOver(parts: Partial<OutlivedSocketsParts>, result: ReturnType<typeof destroySocket> = "destroyed") {
  const ended: number[] = [];
  const entered: string[] = [];
  const lines: string[] = [];
  const say = (text: string) => void lines.push(text);
  const sockets = new OutlivedSockets({
    maps: {
      frontends: {
        lookup: ({ address }) => (address === "10.96.0.10" ? ({ flags: 0, backendCount: 1 } as Service) : undefined),
      },
      locations: { lookup: () => undefined },
      settings: { lookup: () => ({ hostNamespace: NODE, serviceHandling: ServiceHandling.TRANSLATED }) as Settings },
      namespaces: { lookup: ({ cookie }) => (cookie === POD ? { ipv4: "10.244.0.9", ipv6: "::" } : undefined) },
    },
    endpoints: () => [{ netns: "/proc/self/ns/net", namespace: "shop", pod: "web", address: "10.244.0.9" }],
    told: () => [],
    ofNode: () => [],
    enter: (path, work) => {
      entered.push(path);
      return work();
    },
    destroy: ({ identity }) => {
      ended.push(Number(new DataView(identity.buffer).getBigUint64(40, true)));
      return result;
    },
    log: { debug: say, info: say, warn: say, error: say } as unknown as Logger,
    ...parts,
  });
  return { isMore: await sockets.pass(), ended, entered, lines, sockets };
}

const many = (count: number, networkNamespace: bigint) =>
  Array.from({ length: count }, (_, index) => told(index, networkNamespace));

test("sockets end in the network namespaces that they are in, and no other is entered", async () => {
  const pieces = [[told(1, NODE), told(2, POD)], [], [told(3, POD), told(4, OTHER)]];
  const { isMore, ended, entered, lines } = await passOver({ told: () => pieces });
  expect(ended).toEqual([1, 2, 3]);
  expect(entered).toEqual(["/proc/self/ns/net", "/proc/self/ns/net"]);
  expect(lines).toEqual([
    "ended a UDP socket of this node: 10.96.0.10:53 no longer uses the backend 10.244.0.5:5353",
    "ended 2 UDP sockets of pod shop/web: 10.96.0.10:53 no longer uses the backend 10.244.0.5:5353",
  ]);
  expect(isMore).toBe(false);
});

test("a namespace with very many does not keep others waiting: its rest is for the next pass", async () => {
  const pieces = [many(TRIED_AT_MOST - 1, POD), many(2, POD), [told(77_777, NODE)]];
  const { isMore, ended } = await passOver({ told: () => pieces });
  expect(ended).toHaveLength(TRIED_AT_MOST + 1);
  expect(ended.at(-1)).toBe(77_777);
  expect(isMore).toBe(true);
});

test("if none of them can be ended, no pass follows for that", async () => {
  const { isMore, ended, lines } = await passOver({ told: () => [many(TRIED_AT_MOST + 1, POD)] }, "gone");
  expect(ended).toHaveLength(TRIED_AT_MOST);
  expect(lines).toEqual([]);
  expect(isMore).toBe(false);
});

test("a node's own socket ends at the address of a service, unless it was given that address as a backend's", async () => {
  const parts = {
    ofNode: () => [[ofNode(5, "10.96.0.10"), ofNode(6, "10.96.0.10")], [ofNode(7, "192.0.2.1")]],
    told: () => [[told(6, NODE, 1)]],
  };
  const { ended, lines } = await passOver(parts);
  expect(ended).toEqual([5]);
  expect(lines).toEqual(["ended a UDP socket of this node: 10.96.0.10:53 has become a service"]);
});

test("the agent does other work while many of a node's own sockets end", async () => {
  const own = Array.from({ length: 1000 }, (_, index) => ofNode(index, "10.96.0.10"));
  let [inARow, most, isOver] = [0, 0, false];
  const turn = () => {
    inARow = 0;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const destroy = () => {
    most = Math.max(most, ++inARow);
    return "destroyed" as const;
  };
  const { lines } = await passOver({ ofNode: () => [own], destroy });
  isOver = true;
  expect(lines).toEqual(["ended 1000 UDP sockets of this node: 10.96.0.10:53 has become a service"]);
  expect(most).toBe(SOCKETS_TOLD);
});

test("a kernel that cannot end sockets is reported once", async () => {
  const { sockets, lines } = await passOver({ told: () => [many(3, NODE)] }, "unsupported");
  await sockets.pass();
  expect(lines).toEqual([expect.stringMatching(/^this kernel cannot end sockets \(CONFIG_INET_DIAG_DESTROY\)/)]);
});
