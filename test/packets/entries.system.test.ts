// What the entry of a connection remembers: by which revisions it was judged (bpf/policy/judge.h), of the node and of its ends on this
// node, and where its packets came from; and what is counted when it opens (bpf/observe/services.h).
import { closeSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { address } from "../../agent/kernel/address.ts";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { encodeOne } from "../../agent/kernel/codec.ts";
import {
  type Connection,
  ConnectionFlag,
  origin,
  outcomeNames,
  POLICY_REVISION_UNSETTLED,
  SettingsFlag,
  serviceCountKindNames,
  tuple,
} from "../../agent/kernel/layout.gen.ts";
import { libbpf } from "../../agent/kernel/libbpf.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { switched } from "../../agent/kernel/resize.ts";
import { serviceCounts } from "../../agent/kernel/service-counts.ts";
import type { Family } from "../../model/address/address.ts";
import { includes } from "../../tools/bpf.ts";
import { run } from "../../tools/command.ts";
import { arrives, arrivesWrapped, handed, meet, type Step, sends } from "./cases/step.ts";
import { backendAddress, guarded, nodes, outside, services } from "./cluster.ts";
import { tcp, udp } from "./frames.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { readFrame } from "./reading.ts";
import { inFamily } from "./twins.ts";

if (noKernel) console.log(noKernel);

const db = backendAddress("db");
const PORT = 4000;
/** In place of a node: the stack had the packet from `interface` (bpf/shared/connection.h). */
const ORIGIN_BEFORE_STACK = 0xffff_ffff;

describe.skipIf(noKernel)("the entry of a connection", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
  });

  /** The node's revision becomes a new one. */
  const nodeChanges = (bits = 0) => {
    const settings = node.maps.settings.lookup(0);
    if (!settings) throw new Error("no settings");
    const settled = settings.policyRevision & ~POLICY_REVISION_UNSETTLED;
    node.maps.settings.update([[0, { ...settings, policyRevision: (settled + 4) | bits }]]);
  };
  const outcomeOf = (step: Step) => meet(node, step).outcomes.join();
  const packet = () => outcomeOf(sends("web", { destination: db }, tcp(PORT, 80, "S"), ""));
  const noted = () =>
    node.maps.connections
      .entries()
      .concat(node.maps.halfOpen.entries())
      .find(([{ sourcePort }]) => sourcePort === PORT)?.[1];
  const revisionOf = (pod: string) => node.maps.endpoints.lookup(backendAddress(pod))?.revision ?? 0;
  const endpointChanges = (pod: string, by: number) => {
    const endpoint = node.maps.endpoints.lookup(backendAddress(pod));
    if (!endpoint) throw new Error(`no endpoint ${pod}`);
    node.maps.endpoints.update([[backendAddress(pod), { ...endpoint, revision: endpoint.revision + by }]]);
  };
  const ends = () => (Math.imul(revisionOf("web"), 31) + revisionOf("db")) >>> 0;
  /** Nothing allows a connection any more: a packet that is judged is refused. */
  const forbid = () => node.maps.policies.delete(node.maps.policies.entries().map(([key]) => key));

  beforeEach(() => {
    node.write({ returnMode: "DSR", services: true });
    node.forget();
    const { policies, endpoints } = node.maps;
    const written = { policies: policies.entries(), endpoints: endpoints.entries() };
    return () => {
      policies.update(written.policies);
      endpoints.update(written.endpoints);
    };
  });

  describe("from web to db", () => {
    test("is judged when it opens, by the revisions of its ends", () => {
      expect(packet()).toBe("to_endpoint");
      expect(noted()).toMatchObject({
        policyRevision: node.maps.settings.lookup(0)?.policyRevision,
        endsRevision: ends(),
      });
      forbid();
      nodeChanges();
      expect(packet()).toBe("to_endpoint");
    });

    test("is not judged again when another endpoint's revision changed", () => {
      packet();
      forbid();
      endpointChanges("open", 1);
      nodeChanges();
      expect(packet()).toBe("to_endpoint");
      expect(noted()?.policyRevision).toBe(node.maps.settings.lookup(0)?.policyRevision);
    });

    test.each(["web", "db"])("is judged again when the revision of %s changed", (end) => {
      packet();
      forbid();
      endpointChanges(end, 1);
      nodeChanges();
      expect(packet()).toBe("drop_policy_ingress");
      endpointChanges(end, -1); // as it was when the connection was allowed
      nodeChanges();
      expect(packet()).toBe("to_endpoint");
    });

    test("is judged again when its ends have changed places", () => {
      packet();
      forbid();
      const difference = revisionOf("db") - revisionOf("web");
      endpointChanges("web", difference);
      endpointChanges("db", -difference);
      nodeChanges();
      expect(packet()).toBe("drop_policy_ingress");
    });

    test("keeps no verdict from while the agent was writing", () => {
      nodeChanges(POLICY_REVISION_UNSETTLED);
      expect([packet(), noted()?.endsRevision]).toEqual(["to_endpoint", 0]);
      nodeChanges(POLICY_REVISION_UNSETTLED);
      expect([packet(), noted()?.endsRevision]).toEqual(["to_endpoint", 0]);
      nodeChanges();
      expect([packet(), noted()?.endsRevision]).toEqual(["to_endpoint", ends()]);
      forbid();
      nodeChanges(POLICY_REVISION_UNSETTLED);
      expect(packet()).toBe("drop_policy_ingress");
    });
  });

  /** Behind kube-proxy's rules, which may have given any sender's packet this source. */
  test("says from which interface the stack had the last packet", () => {
    node.write({ returnMode: "DSR", services: false });
    const step = handed("db", { source: outside.client1, destination: db }, tcp(PORT, 80, "S"), "");
    for (const name of ["uplink", "other", "uplink"]) {
      const ifindex = node.ifindex(name);
      expect(outcomeOf({ ...step, ingressIfindex: ifindex })).toBe("to_endpoint");
      expect(noted()?.origin).toMatchObject({ node: ORIGIN_BEFORE_STACK, interface: ifindex });
    }
  });

  describe("of another layout of the maps", () => {
    const fromClient = (flags: string, numbers = {}) =>
      arrives({ source: outside.client1, destination: nodes.master }, tcp(PORT, 30082, flags, NONE, numbers), "");
    const numbers = { sequence: 1001, acknowledges: 1001 };
    const older = () => join(node.pins.root, "0123456789ab");
    const entries = () => node.maps.connections.entries();
    const answer = sends("db", { destination: outside.client1 }, tcp(80, PORT, "SA"), "");
    /** What is known from now on is in the maps of an older version only. */
    const becomesOlder = async () => {
      await olderMaps(folder, older());
      const tables = { connections: node.maps.connections, half_open: node.maps.halfOpen };
      for (const [name, own] of Object.entries(tables)) {
        const map = libbpf().getPinned(join(older(), "maps", name));
        for (const [key, value] of own.entries())
          expect(libbpf().update(map, encodeOne(tuple, key), olderBytes(value), 0n)).toBe(0);
        closeSync(map);
      }
      node.forget();
    };
    /** An established connection to a node port, in the maps of an older version only. */
    const establish = async () => {
      for (const step of [fromClient("S"), answer, fromClient("A", numbers)]) meet(node, step);
      expect(entries()).toHaveLength(2);
      await becomesOlder();
    };
    afterEach(() => rmSync(older(), { recursive: true, force: true }));
    const goesOn = () => outcomeOf(fromClient("A", numbers));

    test("is taken over when the programs are switched, and a packet's time is the later one", async () => {
      await establish();
      const before = goesOn();
      node.forget();
      const told = switched(node.pins, node.maps, () => undefined);
      expect(told).toEqual(["2 entries of connections and affinities are taken over from another layout of the maps"]);
      expect([before, goesOn()]).toEqual(["pass_to_stack", "to_endpoint"]);
      expect(node.connectionsOf(PORT)).toEqual(["established", "established"]);
      expect(switched(node.pins, node.maps, () => undefined)).toEqual([]);
    });

    /** Who sends the backend's answer, as the client sees it. */
    const answers = () => {
      const { ip } = readFrame(meet(node, answer).frame);
      return [ip?.source, ip?.ports?.source];
    };

    test.each([
      ["SYN", ["S"]],
      ["handshake", ["S", "A"]],
    ])(
      "goes on whose %s the old programs met, and whose next answer the new ones, before it was taken over",
      async (_, met) => {
        for (const flags of met) {
          meet(node, fromClient(flags, flags === "A" ? numbers : {}));
          meet(node, answer);
        }
        const expected = answers();
        expect(expected).toEqual([nodes.master, 30082]);
        await becomesOlder();
        expect(answers()).not.toEqual(expected);
        switched(node.pins, node.maps, () => undefined);
        expect(answers()).toEqual(expected);
        expect([goesOn(), answers()]).toEqual(["to_endpoint", expected]);
      },
    );

    test("is found by the names of fields, and has a place of its own", async () => {
      await establish();
      switched(node.pins, node.maps, () => undefined);
      const [first, second] = entries();
      const byPlace = new Set([first?.[1].place, second?.[1].place]);
      expect(byPlace.size).toBe(2);
      const reply = entries().find(([, { flags }]) => flags & ConnectionFlag.REPLY);
      expect(reply?.[1]).toMatchObject({
        ...{ address: nodes.master, port: 30082, peerPort: PORT, policyRevision: 0, endsRevision: 0 },
        nextHop: { until: 0n },
      });
      expect(reply?.[1].lastSeen).toBeGreaterThan(0n);
    });
  });

  describe("to a service is counted", () => {
    const counts = () => serviceCounts(node.pins);
    /** "connections=1": of the service at the cluster address. */
    const of = (clusterIP: string) => {
      const list = node.maps.frontends.entries().find(([{ address, port }]) => address === clusterIP && port === 80);
      return counts()
        .entries()
        .filter(([{ backendList }]) => backendList === list?.[1].backendList)
        .map(([{ kind }, { times, bytes }]) => {
          const name = serviceCountKindNames.get(kind) ?? outcomeNames.get(kind);
          return `${name}=${times}${bytes > 0 ? `, ${bytes} bytes` : ""}`;
        })
        .sort();
    };
    const addressOf = (name: string) => services.find((one) => one.name === name)?.clusterIP ?? "";
    const all = (name: string, family: Family = "IPv4") => of(inFamily(addressOf(name), family));
    const ofName = (name: string) => all(name).filter((one) => !/^(requests|answers)/.test(one));
    const carried = (name: string, family: Family) => all(name, family).filter((one) => !one.startsWith("connections"));
    const flagsAre = (flags: number) => {
      const settings = node.maps.settings.lookup(0);
      if (!settings) throw new Error("no settings");
      node.maps.settings.update([[0, { ...settings, flags }]]);
    };
    const meets = (...steps: Step[]) => {
      for (const step of steps) meet(node, step);
    };
    const fromClient = (port: number, flags: string) =>
      arrives({ source: outside.client1, destination: nodes.master }, tcp(PORT, port, flags), "");

    beforeEach(() => {
      counts().delete(
        counts()
          .entries()
          .map(([key]) => key),
      );
      flagsAre(SettingsFlag.SERVICE_COUNTS);
      return () => flagsAre(0);
    });

    test("once, where it enters, whether its backend is here or elsewhere", () => {
      meets(fromClient(30089, "S"), fromClient(30089, "S"), fromClient(30089, "A"), fromClient(30082, "S"));
      expect([ofName("remote"), ofName("db")]).toEqual([["connections=1"], ["connections=1"]]);
    });

    test("at the client's node, where a pod is the client", () => {
      meets(sends("web", { destination: "10.96.0.19" }, tcp(PORT, 80, "S"), ""));
      expect(ofName("remote")).toEqual(["connections=1"]);
    });

    test.each(["forward direct", "forward via"] as const)("not once more where it comes wrapped (%s)", (kind) => {
      const client = { source: outside.client1, destination: nodes.node };
      const step = arrivesWrapped({ kind, for: "db" }, client, tcp(PORT, 30082, "S"), "");
      expect(outcomeOf(step)).toBe("to_endpoint");
      expect(ofName("db")).toEqual([]);
    });

    test("or is refused, by its reason, where that is known", () => {
      const { client2, remote } = outside;
      const wrapped = { kind: "forward direct", for: "db" } as const;
      meets(
        fromClient(30087, "S"),
        fromClient(30087, "S"),
        arrives({ source: remote, destination: guarded.address }, udp(PORT, 80), ""),
        arrives({ source: client2, destination: nodes.master }, tcp(PORT, 30082, "S"), ""),
        arrivesWrapped(wrapped, { source: client2, destination: nodes.node }, tcp(PORT + 1, 30082, "S"), ""),
      );
      expect([ofName("empty"), ofName("guarded"), ofName("db")]).toEqual([
        ["reject_no_backend=2"],
        ["drop_source_range=1"],
        ["drop_policy_ingress=2"],
      ]);
    });

    test("only where the settings say so", () => {
      flagsAre(0);
      meets(fromClient(30089, "S"), fromClient(30087, "S"));
      expect([all("remote"), all("empty")]).toEqual([[], []]);
      flagsAre(SettingsFlag.SERVICE_COUNTS); // of connections that open from now on
      meets(fromClient(30089, "A"));
      expect(all("remote")).toEqual([]);
    });

    describe.each(["IPv4", "IPv6"] as const)("with what it carries in %s", (family) => {
      const client = outside.client1;
      const [request, answer] = [new Uint8Array(100), new Uint8Array(1000)];
      /** An Ethernet header, IP's and TCP's. */
      const headers = 14 + 20 + (family === "IPv4" ? 20 : 40);
      const sizes = { requests: 2 * headers + 100, answers: headers + 1000 };
      const expected = (...directions: (keyof typeof sizes)[]) =>
        directions.map((one) => `${one}=${one === "requests" ? 2 : 1}, ${sizes[one]} bytes`);
      const exchange = (...steps: Step[]) => {
        for (const step of steps) meet(node, step, family);
      };
      const data = (bytes: Uint8Array, from: number, to: number) => tcp(from, to, "A", bytes);

      test.each([
        ["from a client to a backend here", "DSR", 30082, "db", ["answers", "requests"]],
        ["from a client to a backend elsewhere that answers it directly", "DSR", 30089, "remote", ["requests"]],
        ["from a client to one that answers through this node", "Tunnel", 30089, "remote", ["answers", "requests"]],
      ] as const)("%s", (_, returnMode, port, name, directions) => {
        node.write({ returnMode, services: true });
        flagsAre(SettingsFlag.SERVICE_COUNTS);
        const ends = { source: client, destination: nodes.master };
        exchange(arrives(ends, tcp(PORT, port, "S"), ""), arrives(ends, data(request, PORT, port), ""));
        if (name === "db") exchange(sends("db", { destination: client }, data(answer, 80, PORT), ""));
        else if (returnMode === "Tunnel")
          exchange(
            arrivesWrapped(
              { kind: "return" },
              { source: nodes.master, destination: client },
              data(answer, port, PORT),
              "",
            ),
          );
        expect(carried(name, family)).toEqual(expected(...directions));
      });

      test.each([
        ["forward direct", ["answers"]],
        ["forward via", []],
      ] as const)("to a backend here that comes wrapped (%s)", (kind, directions) => {
        const ends = { source: client, destination: nodes.node };
        const wrapping = { kind, for: "db" } as const;
        exchange(
          arrivesWrapped(wrapping, ends, tcp(PORT, 30082, "S"), ""),
          arrivesWrapped(wrapping, ends, data(request, PORT, 30082), ""),
          sends("db", { destination: client }, data(answer, 80, PORT), ""),
        );
        expect(carried("db", family)).toEqual(expected(...directions));
      });

      test("from a pod", () => {
        const ends = { destination: addressOf("remote") };
        exchange(
          sends("web", ends, tcp(PORT, 80, "S"), ""),
          sends("web", ends, data(request, PORT, 80), ""),
          arrivesWrapped(
            { kind: "overlay" },
            { source: backendAddress("web2"), destination: backendAddress("web") },
            data(answer, 80, PORT),
            "",
          ),
        );
        expect(carried("remote", family)).toEqual(expected("answers", "requests"));
      });
    });
  });
});

const NONE = new Uint8Array();

/** test/packets/older.bpf.c, pinned as maps of a layout. */
async function olderMaps(scratch: string, layout: string): Promise<void> {
  const object = join(scratch, "older.bpf.o");
  const source = join(import.meta.dirname, "older.bpf.c");
  await run("clang", ["-O2", "-g", "-target", "bpf", ...includes(), "-c", source, "-o", object]);
  mkdirSync(join(layout, "maps"), { recursive: true });
  const program = join(layout, "nothing");
  await run("bpftool", ["prog", "loadall", object, program, "pinmaps", join(layout, "maps")]);
}

/** struct older_connection */
function olderBytes(value: Connection): Uint8Array {
  const view = new DataView(new ArrayBuffer(88));
  view.setUint32(0, value.flags, true);
  view.setUint32(4, 4711, true);
  view.setBigUint64(8, value.lastSeen, true);
  view.setUint32(16, Number(value.packets), true);
  view.setUint16(20, value.port);
  view.setUint16(22, value.peerPort);
  address.encode(value.address, view, 24);
  address.encode(value.node, view, 40);
  view.setUint32(56, value.next, true);
  view.setUint32(60, value.sequence);
  origin.encode(value.origin, view, 64);
  view.setUint32(80, value.backend, true);
  return new Uint8Array(view.buffer);
}
