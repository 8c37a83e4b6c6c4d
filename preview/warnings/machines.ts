import { z } from "zod";
import type { Cluster } from "../declared/cluster.ts";
import type { Declared } from "../declared/declared.ts";
import type { Warning } from "./warning.ts";

const verificationSchema = z.object({
  clients: z.array(z.object({ name: z.string() })).optional(),
  targets: z.array(z.object({ from: z.unknown().optional() })).default([]),
  nodePort: z.number().optional(),
});

/** Missing machines, and machines whose packets AWS would drop. */
export function machineWarnings(declared: Declared): Warning[] {
  return [
    ...verifications(declared),
    ...declared.clusters.flatMap((cluster) => [...checks(cluster), ...images(cluster), ...cards(cluster)]),
  ];
}

/** Without a client there is no traffic from outside the cluster. */
function verifications({ resources, machines }: Declared): Warning[] {
  const clients = new Set(machines.filter(({ role }) => role === "client").map(({ name }) => name));
  return resources
    .filter(({ type }) => type === "ebpf-dataplane:index:SourceIpVerification")
    .filter(({ inputs }) => {
      const { clients: given, nodePort, targets } = verificationSchema.safeParse(inputs).data ?? { targets: [] };
      const fromOutside = nodePort !== undefined || targets.some(({ from }) => from === undefined);
      return fromOutside && clients.size === 0 && !given?.length;
    })
    .map(({ name }) => ({
      about: `SourceIpVerification ${name}`,
      what: "no client machine is declared, so nothing connects from outside the cluster and source addresses are not verified",
      next: "declare a machine with the role Client, or ClientMachines, and pass them as clients",
    }));
}

/** EC2 drops packets that an instance sends with an address other than its own, as DSR replies are. */
function checks({ dataplane, nodes }: Cluster): Warning[] {
  if (dataplane?.serviceHandling !== "Ebpf") return [];
  const checked = nodes.filter(({ instance }) => instance?.sourceDestCheck);
  if (checked.length === 0) return [];
  const names = checked.map(({ name }) => name).join(", ");
  const untunnelled = dataplane.pools.some(({ mode }) => mode !== "Always");
  if (dataplane.returnMode !== "DSR" && !untunnelled) return [];
  const dropped =
    dataplane.returnMode === "DSR"
      ? "replies that nodes send with each other's addresses (DSR)"
      : "packets that nodes send with pods' addresses";
  return [
    {
      about: `instances ${names}`,
      what: `EC2's source/destination check is on, and drops ${dropped}`,
      next: "set sourceDestCheck to false, or use returnMode tunnel with vxlanMode or ipipMode Always",
    },
  ];
}

/** Only the nodes of a lab have local images. */
function images({ kind, dataplane }: Cluster): Warning[] {
  const { image } = dataplane ?? {};
  if (kind === "local" || image === undefined || image.includes("/")) return [];
  return [
    {
      about: "DaemonSet ebpf-dataplane/ebpf-dataplane",
      what: `its image is ${image}, without a registry: nodes cannot pull it`,
      next: "run make image REGISTRY=… and set imageRegistry, or set image to its full name",
    },
  ];
}

/** The machines of a lab are network namespaces. */
function cards({ kind, dataplane }: Cluster): Warning[] {
  if (kind !== "local" || dataplane?.xdp !== "Native") return [];
  return [
    {
      about: "Dataplane xdp",
      what: "it is Native, but the uplinks of a lab's nodes are veth pairs, where XDP is slower than tc: the agents do not use it there",
      next: "leave xdp out, or measure it on machines with network cards",
    },
  ];
}
