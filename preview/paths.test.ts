import { describe, expect, test } from "vitest";
import { inWords } from "../report/path-in-words.ts";
import { declaredOf } from "./declared/declared.ts";
import { declaredPaths } from "./paths.ts";
import { pathLines } from "./print/path.ts";
import { castOf } from "./reach/cast.ts";
import { sceneOf } from "./scene.ts";
import { deployment, from, policy, service } from "./testing/objects.ts";
import { awsCluster, type DataplaneChoice, dataplane, object, twoNodesAndAClient } from "./testing/stack.ts";

function path(choice: DataplaneChoice, { node = "node", local = false, guarded = "", mode = "" } = {}) {
  const annotations = mode ? { "ebpf-dataplane.io/return-mode": mode } : {};
  const nginx = service("nginx", local ? { externalTrafficPolicy: "Local" } : {}, { annotations });
  const rules = guarded ? [object(policy("p", "nginx", from(guarded)))] : [];
  const objects = [object(deployment("nginx", { node })), object(nginx), ...rules];
  const [cluster] = declaredOf([...awsCluster(twoNodesAndAClient), ...dataplane(choice), ...objects]).clusters;
  if (!cluster) throw new Error("no cluster");
  const [drawn] = declaredPaths(cluster, castOf(sceneOf(cluster)));
  if (!drawn) throw new Error("no way");
  return drawn;
}

const hops = (drawn: ReturnType<typeof path>) =>
  drawn.stretches.map(({ from, to, source, wrapped }) => `${from}>${to} ${source}${wrapped ? " wrapped" : ""}`);

describe("declaredPaths()", () => {
  test("DSR: encapsulated to the pod's node, and directly back", () => {
    expect(hops(path({}))).toEqual([
      "client1>master 172.31.1.55",
      "master>node 172.31.1.55 wrapped",
      "node>nginx 172.31.1.55",
      "nginx>node pod nginx:80",
      "node>client1 172.31.1.8:30604",
    ]);
  });

  test("tunnel: back through the entry node", () => {
    expect(hops(path({ returnMode: "Tunnel" })).slice(3)).toEqual([
      "nginx>node pod nginx:80",
      "node>master 172.31.1.8:30604 wrapped",
      "master>client1 172.31.1.8:30604",
    ]);
  });

  test("a service's own return mode comes before the cluster's", () => {
    expect(path({}, { mode: "Tunnel" }).reply).toBe("viaEntryNode");
    expect(path({ returnMode: "Tunnel" }, { mode: "DSR" }).reply).toBe("direct");
    expect(path({ handling: "KubeProxyIptables" }, { mode: "DSR" }).mode).toBe("KubeProxyIptables");
  });

  test("kube-proxy: the entry node replaces the client's address", () => {
    const drawn = path({ handling: "KubeProxyIptables" });
    expect(hops(drawn).slice(0, 3)).toEqual([
      "client1>master 172.31.1.55",
      "master>node 172.31.1.8",
      "node>nginx 172.31.1.8",
    ]);
    expect(inWords(drawn)).toContain("The server sees 172.31.1.8, which is master, instead of the client");
    expect(drawn.rewrites).toContainEqual(expect.objectContaining({ field: "source", at: "master" }));
    expect(hops(path({ handling: "KubeProxyIptables", vxlanMode: "Always" }))[1]).toMatch(/wrapped$/);
  });

  test("a service with externalTrafficPolicy Local is entered at the pod's own node", () => {
    const drawn = path({}, { local: true });
    expect(drawn).toMatchObject({ target: "172.31.1.207:30604", reply: "onEntryNode" });
    expect(hops(drawn)).toEqual([
      "client1>node 172.31.1.55",
      "node>nginx 172.31.1.55",
      "nginx>node pod nginx:80",
      "node>client1 172.31.1.207:30604",
    ]);
  });

  test("pods on the control plane are entered by another node", () => {
    expect(path({}, { node: "master" }).target).toBe("172.31.1.207:30604");
  });

  test("if no client is allowed, the path ends at the pod's node", () => {
    const drawn = path({}, { guarded: "192.168.0.0/16" });
    expect(drawn).toMatchObject({ served: false });
    expect(drawn.reply).toBeUndefined();
    expect(pathLines(drawn)).toEqual([
      "client1 ─────▶ master ══VXLAN══▶ node    ✕    nginx",
      "",
      "1 client1 → master   172.31.1.55 → 172.31.1.8:30604",
      "2 master → node      172.31.1.55 → 172.31.1.8:30604, in VXLAN 172.31.1.8 → 172.31.1.207",
      "",
      "client1 gets no answer.",
    ]);
  });
});

test("a path is drawn with a branch where the reply passes", () => {
  expect(pathLines(path({ returnMode: "Tunnel" })).slice(0, 3)).toEqual([
    "client1 ─────▶ master ══VXLAN══▶ node ─────▶ nginx",
    "   ▲              │                │           │",
    "   └──────────────┴────────────────┴───────────┘",
  ]);
});
