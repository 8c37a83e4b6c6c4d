import { z } from "zod";
import { measuredModes } from "../../model/mode/mode.ts";

export const placeSchema = z
  .strictObject({
    name: z.string().describe("A machine's own name; namespace/name of a pod."),
    role: z
      .enum(["client", "entryNode", "node", "pod"])
      .describe(
        "client: outside the cluster. entryNode: where its packets enter. node: another one, where the pod runs.",
      ),
    address: z.string().optional().describe("The address by which the others know it. Absent: not known."),
    on: z.string().optional().describe("Of a pod: the machine that it runs on."),
  })
  .describe("A machine or pod that packets pass.");

const endpoint = (of: string) =>
  z.string().describe(`${of} as ADDRESS:PORT, in the packet as it was seen on this leg.`);

const legSchema = z
  .strictObject({
    direction: z.enum(["request", "reply"]),
    from: z.string().describe("Name of the place that the packet left."),
    to: z.string().describe("Name of the place where it arrived next."),
    source: endpoint("Source"),
    destination: endpoint("Destination"),
    wrapped: z
      .strictObject({ source: z.string(), destination: z.string() })
      .optional()
      .describe("Outer addresses, where the packet travelled inside VXLAN."),
    evidence: z.string().optional().describe("The packet as the capture printed it."),
  })
  .describe("A packet between two places. Where an address differs from the leg before, the place between rewrote it.");

const pathSchema = z
  .strictObject({
    mode: z.enum(measuredModes).describe("Who handled services meanwhile."),
    client: z.string().describe("Name of the machine that connected."),
    target: z.string().describe("What it connected to, ADDRESS:PORT."),
    served: z.boolean().describe("Whether it got an answer."),
    legs: z.array(legSchema).describe("Request first, then reply, each in the order in which its packet travelled."),
    logged: z.string().optional().describe("The line of the server's own log for this connection."),
  })
  .describe("The path of one real connection, as captured.");

/** The machines and the observed paths between them. */
export const topologySchema = z
  .strictObject({ places: z.array(placeSchema), paths: z.array(pathSchema) })
  .describe("Where packets went, by captures on the machines: not by the dataplane's word.");

export type Place = z.output<typeof placeSchema>;
export type Leg = z.output<typeof legSchema>;
export type Path = z.output<typeof pathSchema>;
export type Topology = z.output<typeof topologySchema>;
