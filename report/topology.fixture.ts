// Made-up captures of the walk-through's three ways, in the form of real ones.
import type { Leg, Path, Topology } from "./results/topology.ts";

const client = "172.31.1.55:40001";
const target = "172.31.1.8:30604";
const pod = "10.244.1.5:80";
const master = "172.31.1.8:21883";
const vxlan = { source: "172.31.1.8", destination: "172.31.1.207" };
const back = { source: "172.31.1.207", destination: "172.31.1.8" };
const nginx = "default/nginx-7c5ddbdf54-x2mpq";

function leg(from: string, to: string, source: string, destination: string, wrapped?: Leg["wrapped"]): Leg {
  const place = (name: string) => ["client1", "master", "node", nginx].indexOf(name);
  return {
    direction: place(from) < place(to) ? "request" : "reply",
    from,
    to,
    source,
    destination,
    ...(wrapped && { wrapped }),
    evidence: `IP ${source.replace(":", ".")} > ${destination.replace(":", ".")}: tcp`,
  };
}

function path(mode: Path["mode"], legs: Leg[]): Path {
  return { mode, client: "client1", target, served: true, legs };
}

/** FIXTURE: kube-proxy's two rewrites, the tunnel's way back through the entry node, and the direct reply. */
export function fixtureTopology(): Topology {
  return {
    places: [
      { name: "client1", role: "client", address: "172.31.1.55" },
      { name: "master", role: "entryNode", address: "172.31.1.8" },
      { name: "node", role: "node", address: "172.31.1.207" },
      { name: nginx, role: "pod", address: "10.244.1.5", on: "node" },
    ],
    paths: [
      path("KubeProxyIptables", [
        leg("client1", "master", client, target),
        leg("master", "node", master, pod),
        leg("node", nginx, master, pod),
        leg(nginx, "node", pod, master),
        leg("node", "master", pod, master),
        leg("master", "client1", target, client),
      ]),
      path("EbpfTunnel", [
        leg("client1", "master", client, target),
        leg("master", "node", client, target, vxlan),
        leg("node", nginx, client, pod),
        leg(nginx, "node", pod, client),
        leg("node", "master", target, client, back),
        leg("master", "client1", target, client),
      ]),
      path("EbpfDsr", [
        leg("client1", "master", client, target),
        leg("master", "node", client, target, vxlan),
        leg("node", nginx, client, pod),
        leg(nginx, "node", pod, client),
        leg("node", "client1", target, client),
      ]),
    ],
  };
}
