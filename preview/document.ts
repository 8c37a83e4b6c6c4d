import { z } from "zod";
import { packetPathSchema } from "../report/document.ts";
import { impactSchema } from "./flows/document.ts";
import { changes } from "./resource.ts";

const verdicts = z
  .enum(["allowed", "dropped", "depends", "rejected", "no way in"])
  .describe(
    "depends: on which pod, its address, its node, or what else is not known before it runs. rejected: the service has no pods. no way in: not reachable from outside the cluster.",
  );

const policies = z.array(z.string()).describe('The objects that decide: "NetworkPolicy default/nginx". Empty: none.');

const resourceSchema = z
  .strictObject({
    type: z.string().describe("Type token."),
    name: z.string().describe("Name in the program."),
    title: z.string().describe("Kind and name, for display."),
    depth: z.int().min(0).describe("Depth in the tree: 0 is directly below the stack. A resource follows its parent."),
    change: z.enum(changes).optional().describe("The planned change. Absent: the state of the stack is not known."),
  })
  .describe("A resource.");

const machineSchema = z
  .strictObject({
    name: z.string(),
    role: z.enum(["controlPlane", "worker", "client"]),
    address: z.string().optional(),
    instanceType: z.string().optional().describe("EC2 only."),
    spot: z.boolean().optional().describe("EC2 only."),
    zone: z.string().optional().describe("EC2 only; absent: chosen by AWS."),
    securityGroups: z.array(z.string()).optional().describe("EC2 only: names of resources."),
  })
  .describe("A computer that the stack creates or names.");

const subnetSchema = z
  .strictObject({
    cidr: z.string(),
    zone: z.string().optional().describe("Absent: chosen by AWS."),
    machines: z.array(z.string()).describe("Names of the machines in it."),
  })
  .describe("A subnet that the stack creates.");

const securityGroupSchema = z
  .strictObject({ name: z.string(), admits: z.array(z.string()).describe('"udp 4789 from cluster-nodes".') })
  .describe("Traffic that a security group admits.");

const costSchema = z
  .strictObject({
    what: z.enum(["instances", "volumes", "addresses", "NAT gateways", "load balancers", "clusters"]),
    kind: z.string().describe('"t3.medium, spot, eu-central-1a".'),
    count: z.int().min(1),
    gibibytes: z.number().optional().describe("Volumes: total size."),
  })
  .describe("Resources with a cost. No prices: they change.");

const reachSchema = z
  .strictObject({
    from: z.string().describe("A client, pods by the name of their workload, or a description of other sources."),
    to: z.string().describe('A port of a service: "nginx:80", "kube-system/kube-dns:53/udp".'),
    verdict: verdicts,
    policies,
  })
  .describe("Reachability by the declared policies.");

const changeSchema = z
  .strictObject({
    from: z.string(),
    to: z.string(),
    before: verdicts.optional().describe("Absent: the pair did not exist."),
    after: verdicts.optional().describe("Absent: the pair is no longer declared."),
    policies,
  })
  .describe("A pair whose verdict changes.");

const contradictionSchema = z
  .strictObject({
    check: z.string().describe("The check that expects it."),
    from: z.string(),
    to: z.string(),
    expected: z.enum(["allowed", "dropped", "rejected"]),
    declared: verdicts.describe("The verdict of the declared objects."),
    policies,
  })
  .describe("An expectation of a verification that the declared objects do not meet: it would fail.");

const warningSchema = z
  .strictObject({ about: z.string(), what: z.string(), next: z.string().describe("What to do.") })
  .describe("A valid declaration that will not work, or not as expected.");

/** The schema of `preview --json`. */
export const previewSchema = z
  .strictObject({
    project: z.string(),
    stack: z.string(),
    resources: z.array(resourceSchema),
    machines: z.array(machineSchema),
    subnets: z.array(subnetSchema),
    securityGroups: z.array(securityGroupSchema),
    ways: z.array(packetPathSchema).describe("Paths of request and reply, as declared."),
    cost: z.array(costSchema),
    reach: z.array(reachSchema),
    against: z
      .strictObject({
        what: z.string().describe("Description of the compared state."),
        reach: z.array(changeSchema),
        cost: z.array(
          z.strictObject({ item: z.string(), before: z.int().min(0), after: z.int().min(0) }).describe("A count."),
        ),
      })
      .optional()
      .describe("Absent: there is nothing to compare with."),
    flows: impactSchema.optional().describe("Absent: no flow log was given."),
    expectations: z.strictObject({
      contradictions: z.array(contradictionSchema),
      met: z.int().min(0).describe("Expectations that agree with what is declared."),
      open: z.int().min(0).describe("Expectations that only a running cluster can decide."),
    }),
    warnings: z.array(warningSchema),
  })
  .describe("A stack before its deployment: resources, paths, cost, reachability and warnings.");

export type Preview = z.output<typeof previewSchema>;
