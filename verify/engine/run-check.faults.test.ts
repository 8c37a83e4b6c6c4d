import { describe, expect, it } from "vitest";
import { type Check, checkSchema } from "../../components/documents/check.ts";
import { ApiRefusal, ApiUnreachable } from "../../kubernetes/errors.ts";
import type { CapturedPacket } from "../../probe/capture.ts";
import { runCheck } from "./run-check.ts";
import { FakeWorld, pod } from "./world.fixture.ts";

const attempt = { from: "client1", to: "tcp://172.31.1.8:30604", verdict: "allowed" };
const check = (expectation: object, step: object = {}): Check =>
  checkSchema.parse({ name: "n", steps: [{ ...step, expect: [{ ...attempt, ...expectation }] }] });

/** What was found about one expectation: observed, then every reason. */
async function found(world: FakeWorld, expectation: object): Promise<string> {
  const { rows } = await runCheck(world, check(expectation));
  expect(rows[0]?.pass).toBe(false);
  return [rows[0]?.observed, ...(rows[0]?.evidence ?? [])].join("\n");
}

/** The seed's world, where client1 is answered. */
function answered(): FakeWorld {
  const world = new FakeWorld();
  world.answer = () => ({ verdict: "allowed", localAddress: "172.31.1.55", localPort: 40001 });
  return world;
}

const line = '"ebpf-dataplane-probe/TOKEN.1"';
/** Logs `text` with the token of the latest probe. */
function logs(world: FakeWorld, text: string): void {
  world.log = async () => [text.replace("TOKEN", world.batches.at(-1)?.batch[0]?.token ?? "")];
}

describe("a pod's log", () => {
  it("in another format is shown, with the format that is needed", async () => {
    const world = answered();
    logs(world, `{"remote_addr": "172.31.1.55", "agent": ${line}}`);
    expect(await found(world, { source: "client1" })).toMatch(
      /the log of default\/nginx-1 has the request, but its line does not begin with an address: \{"remote_addr".*"combined" format/,
    );
  });

  it("without the request names the pods that were looked at", async () => {
    const world = answered();
    logs(world, "172.31.1.55 GET /");
    expect(await found(world, { source: "client1" })).toContain(
      "no log line of default/nginx-1 contains the probe's token",
    );
  });

  it("that cannot be read is reported with the reason", async () => {
    const world = answered();
    world.log = async () => Promise.reject(new ApiRefusal(403, "Forbidden", 'pods "nginx-1" is forbidden'));
    expect(await found(world, { source: "client1" })).toContain(
      'the log of default/nginx-1 cannot be read: pods "nginx-1" is forbidden',
    );
  });
});

describe("a target that refuses", () => {
  const refused = () => ({ verdict: "rejected", error: "ECONNREFUSED" }) as const;

  it("has ready pods on whose port nothing listens", async () => {
    const world = new FakeWorld();
    world.answer = refused;
    expect(await found(world, {})).toContain(
      "service default/nginx has ready pods (default/nginx-1), so they refuse the connection: nothing listens on the target port",
    );
    expect(await found(world, { to: "tcp://pod/default/web-0:81" })).toContain(
      "pod default/web-0 exists and refuses: nothing listens on its port 81",
    );
  });

  it("has no ready pod", async () => {
    const world = new FakeWorld();
    world.answer = refused;
    world.cluster.endpointSlices = [];
    expect(await found(world, {})).toContain("service default/nginx has no ready pod");
  });

  it("has ready pods of the other address family alone", async () => {
    const world = new FakeWorld();
    world.answer = refused;
    world.cluster.nodes[0]?.status?.addresses?.push({ type: "InternalIP", address: "fd00:172:31:1::8" });
    expect(await found(world, { to: "tcp://[fd00:172:31:1::8]:30604" })).toContain(
      "service default/nginx has no ready endpoint of IPv6, although others are ready: pod default/nginx-1 has 10.244.1.2",
    );
  });
});

describe("a client that loses its link", () => {
  const unsent = { verdict: "dropped", unsent: "172.31.1.8 does not answer ARP on eth0" } as const;

  it("shows nothing of the dataplane, also where silence is expected", async () => {
    const world = new FakeWorld();
    world.answer = () => unsent;
    const why = "no packet left client1: 172.31.1.8 does not answer ARP on eth0";
    expect(await found(world, { verdict: "dropped" })).toContain(why);
    expect(await found(world, {})).toContain(why);
  });

  it("but an unused address may be silent", async () => {
    const world = new FakeWorld();
    world.answer = () => unsent;
    const { rows } = await runCheck(world, check({ to: "tcp://172.31.1.99:80", verdict: "dropped" }));
    expect(rows[0]?.pass).toBe(true);
  });
});

describe("a cluster that becomes unreachable", () => {
  const away = new ApiUnreachable(
    { server: "https://172.31.1.8:6443", method: "GET", path: "/api/v1/nodes" },
    "connect ECONNREFUSED",
  );

  it("is waited for, and then reported in every row", async () => {
    const world = new FakeWorld();
    world.view = async () => Promise.reject(away);
    expect(await found(world, {})).toBe(`not probed: ${away.message}`);
    expect(world.clock.now()).toBeGreaterThanOrEqual(15_000);
  });

  it("may refuse everybody while it comes back", async () => {
    const world = new FakeWorld();
    world.view = async () => Promise.reject(new ApiRefusal(403, "Forbidden", "nodes is forbidden"));
    expect(await found(world, {})).toBe("not probed: nodes is forbidden");
  });

  it("or any other unexpected error leaves a row for every expectation", async () => {
    const world = new FakeWorld();
    world.view = async () => Promise.reject(new SyntaxError("Unexpected end of JSON input"));
    expect(await found(world, {})).toBe("not probed: Unexpected end of JSON input");
  });

  it("may come back in time", async () => {
    const world = new FakeWorld();
    world.answer = () => ({ verdict: "allowed" });
    const { view } = world;
    let asked = 0;
    world.view = async () => (asked++ < 3 ? Promise.reject(away) : view());
    const { rows, problems } = await runCheck(world, check({}));
    expect(rows[0]?.pass).toBe(true);
    expect(problems).toEqual([]);
  });

  it("leaves rows for all steps, and says what could not be removed and what to do", async () => {
    const world = new FakeWorld();
    const policy = { apiVersion: "v1", kind: "Policy", metadata: { name: "open" } };
    const { apply } = world.objects;
    world.objects.apply = async (object) => {
      await apply(object);
      const gone = () => Promise.reject(away);
      Object.assign(world.objects, { apply: gone, delete: gone, read: gone, restore: gone });
    };
    world.answer = () => ({ verdict: "allowed" });
    const steps = [
      { apply: [policy], expect: [attempt] },
      { apply: [{ ...policy, kind: "Pod" }], expect: [attempt] },
    ];
    const { rows, problems } = await runCheck(world, checkSchema.parse({ name: "n", steps }));
    expect(rows.map(({ pass }) => pass)).toEqual([true, false]);
    expect(rows[1]?.observed).toContain(
      "not probed: cannot read Pod open: the API server https://172.31.1.8:6443 does not answer",
    );
    expect(problems.map(({ what }) => what).join()).toContain("could not be undone: Policy open");
    expect(problems.at(-1)?.next).toContain("run the same check again");
    expect(world.clock.now()).toBeLessThan(300_000);
  });
});

describe("a dataplane that does not do what is declared", () => {
  const left: CapturedPacket = {
    device: "eth0",
    direction: "out",
    text: "Flags [.]",
    source: "172.31.1.8",
    sourcePort: 30604,
    destination: "172.31.1.55",
    destinationPort: 40001,
  };
  const seen = { server: "default/nginx-1", source: "172.31.1.55", sourcePort: 40001 };

  function world(captured = [left], source = "172.31.1.55"): FakeWorld {
    const made = new FakeWorld();
    made.captured = captured;
    made.answer = () => ({ verdict: "allowed", localAddress: "172.31.1.55", localPort: 40001, ...seen, source });
    return made;
  }

  it("has the other return mode", async () => {
    const tunnel = world();
    tunnel.cluster.returnMode = "Tunnel";
    expect(await found(tunnel, { reply: "direct" })).toContain(
      "the reply passed master instead of taking the direct path; DSR is expected, but FelixConfiguration default says Tunnel",
    );
    const direct = world([]);
    direct.cluster.returnMode = "DSR";
    expect(await found(direct, { reply: "viaEntryNode" })).toContain(
      "no packet of the reply left master, so it took the direct path; Tunnel is expected, but FelixConfiguration default says DSR",
    );
  });

  it("has the right mode and does not follow it", async () => {
    const tunnel = world();
    tunnel.cluster.returnMode = "DSR";
    expect(await found(tunnel, { reply: "direct" })).toContain("although FelixConfiguration default says DSR");
  });

  it("rewrites sources", async () => {
    expect(await found(world([], "172.31.1.8"), { source: "client1" })).toContain(
      "pod default/nginx-1 saw 172.31.1.8 (node master), not client1: something rewrites the source on node master, on the path to the pod (SNAT: a masquerade rule",
    );
    expect(await found(world([], "172.31.1.207"), { source: "client1" })).toContain("on node node, where the pod runs");
  });

  it("was told to leave services to the node's own rules", async () => {
    const left = world([], "172.31.1.8");
    left.cluster.serviceHandling = "KubeProxyNftables";
    const why = "annotation ebpf-dataplane.io/service-handling: KubeProxyNftables";
    expect(await found(left, { source: "client1" })).toContain(why);
    left.cluster.serviceHandling = "Ebpf";
    expect(await found(left, { source: "client1" })).not.toContain(why);
  });

  it("is kube-proxy", async () => {
    const proxied = world([left], "172.31.1.8");
    const proxy = pod("kube-proxy-x", "master", "172.31.1.8", { "k8s-app": "kube-proxy" });
    const tenants = { ...proxy, metadata: { ...proxy.metadata, name: "not-kube-proxy" } };
    proxied.cluster.pods.push(tenants);
    expect(await found(proxied, { source: "client1", reply: "direct" })).not.toContain("kube-proxy runs there");
    proxied.cluster.pods.push({ ...proxy, metadata: { ...proxy.metadata, namespace: "kube-system" } });
    const why = await found(proxied, { source: "client1", reply: "direct" });
    expect(why).toContain(
      "on node master, on the path to the pod (SNAT: kube-proxy runs there, pod kube-system/kube-proxy-x)",
    );
    expect(why).toContain("DSR is expected, but this dataplane does not handle services: kube-proxy runs there");
  });
});
