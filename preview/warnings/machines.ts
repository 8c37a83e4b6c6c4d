import { z } from "zod";
import type { Cluster } from "../declared/cluster.ts";
import type { Declared } from "../declared/declared.ts";
import type { Warning } from "./warning.ts";

const verificationSchema = z.object({
  clients: z.array(z.object({ name: z.string() })).optional(),
  targets: z.array(z.object({ from: z.unknown().optional() })).default([]),
  nodePort: z.number().optional(),
});

/** Machines that are missing, or that AWS would stand in the way of. */
export function machineWarnings(declared: Declared): Warning[] {
  return [
    ...verifications(declared),
    ...declared.clusters.flatMap((cluster) => [...checks(cluster), ...images(cluster)]),
  ];
}

/** Without a client nothing comes from outside the cluster. */
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
      what: "no client machine is declared, so nobody connects from outside the cluster and nothing is shown about source addresses",
      next: "declare a machine with the role Client, or ClientMachines, and hand them over as clients",
    }));
}

/** EC2 drops what an instance sends with another address than its own, and direct returns are just that. */
function checks({ dataplane, nodes }: Cluster): Warning[] {
  if (dataplane?.serviceHandling !== "Ebpf") return [];
  const checked = nodes.filter(({ instance }) => instance?.sourceDestCheck);
  if (checked.length === 0) return [];
  const names = checked.map(({ name }) => name).join(", ");
  const untunnelled = dataplane.pools.some(({ vxlanMode }) => vxlanMode !== "Always");
  if (dataplane.returnMode !== "DSR" && !untunnelled) return [];
  const dropped =
    dataplane.returnMode === "DSR"
      ? "replies that nodes send with each other's addresses (DSR)"
      : "packets that nodes send with pods' addresses";
  return [
    {
      about: `instances ${names}`,
      what: `EC2's source/destination check is on, and drops ${dropped}`,
      next: "set sourceDestCheck to false, or use returnMode tunnel with vxlanMode Always",
    },
  ];
}

/** Only the nodes of a lab are given images. */
function images({ kind, dataplane }: Cluster): Warning[] {
  const { image } = dataplane ?? {};
  if (kind === "local" || image === undefined || image.includes("/")) return [];
  return [
    {
      about: "DaemonSet ebpf-dataplane/ebpf-dataplane",
      what: `its image is ${image}, without a registry: nodes will look for it where nobody has put it`,
      next: "run make image REGISTRY=… and set imageRegistry, or set image to where it is",
    },
  ];
}
