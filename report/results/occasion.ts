import { z } from "zod";

/** When, on which cluster and by which version of this package something was verified. */
export const occasionSchema = z
  .strictObject({
    begunAt: z.iso.datetime().describe("When it began, UTC."),
    endedAt: z.iso.datetime().describe("When it ended, UTC."),
    cluster: z.strictObject({
      server: z.string().describe("URL of the API server that was asked."),
      id: z.string().optional().describe("UID of the namespace kube-system. Absent: it could not be read."),
      kubernetes: z.string().optional().describe("Version of the API server. Absent: it did not answer."),
      engine: z
        .string()
        .optional()
        .describe(
          "Who handles pods and Services, by the cluster's objects: this dataplane with its image and modes, other network plugins, kube-proxy. Absent: nobody was recognized.",
        ),
    }),
    version: z.string().describe("Version of this package."),
    commit: z.string().optional().describe("Commit of the checkout; ends in -dirty when files differ from it."),
  })
  .describe("When, on which cluster and by which version of this package this was verified.");

export type Occasion = z.output<typeof occasionSchema>;

/** `https://172.31.1.8:6443 (Kubernetes v1.35.0, kube-system 4b1c…), by ebpf-dataplane 0.1.0 at 2ea30cf94139`. */
export function placeInWords({ cluster, version, commit }: Occasion): string {
  const { server, id, kubernetes, engine } = cluster;
  const facts = [kubernetes && `Kubernetes ${kubernetes}`, id && `kube-system ${id}`, engine].filter(Boolean);
  const where = facts.length > 0 ? `${server} (${facts.join(", ")})` : server;
  return `${where}, by ebpf-dataplane ${version}${commit ? ` at ${commit}` : ""}`;
}
