// What the entry of a connection remembers: by which revisions it was judged (bpf/policy/judge.h), of the node and of its ends on this
// node, and where its packets came from; and what is counted when it opens (bpf/observe/services.h).
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import {
  outcomeNames,
  POLICY_REVISION_UNSETTLED,
  SettingsFlag,
  serviceCountKindNames,
} from "../../agent/kernel/layout.gen.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { serviceCounts } from "../../agent/kernel/service-counts.ts";
import type { Family } from "../../model/address/address.ts";
import { arrives, arrivesWrapped, handed, meet, type Step, sends } from "./cases/step.ts";
import { backendAddress, guarded, nodes, outside, services } from "./cluster.ts";
import { tcp, udp } from "./frames.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { forgetRefusals } from "./refusal-place.ts";
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
    forgetRefusals(node.pins); // each test begins with the same revision
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
