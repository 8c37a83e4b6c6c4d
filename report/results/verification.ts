import { z } from "zod";
import { environmentSchema } from "./environment.ts";
import { estimateSchema } from "./figures.ts";
import { occasionSchema } from "./occasion.ts";
import { outcomeFields } from "./outcome.ts";
import { topologySchema } from "./topology.ts";

const seenSchema = z
  .strictObject({
    attempts: z.int().min(1).describe("How many attempts showed this; ports are those of the first one."),
    verdict: z.enum(["allowed", "dropped", "rejected", "none"]).describe("none: no packet was sent."),
    error: z.string().optional().describe("The error of the prober's kernel, e.g. ECONNREFUSED."),
    clientAddress: z.string().optional().describe("Of the prober's own socket."),
    clientPort: z.int().optional(),
    targetAddress: z.string().describe("The address that was tried; a name where it did not resolve."),
    targetPort: z.int(),
    entryNode: z.string().optional().describe("The node that owns the target's address."),
    server: z.string().optional().describe("The pod that answered: NAMESPACE/NAME."),
    serverNode: z.string().optional(),
    serverAddress: z.string().optional(),
    source: z.string().optional().describe("The address that the server saw."),
    sourcePort: z.int().optional(),
    sourceOwner: z
      .string()
      .optional()
      .describe("Whose address that is: machine client1, node master, pod default/web-0."),
    echoedBytes: z.int().optional().describe("With a size: bytes that came back as they were sent."),
    httpStatus: z.int().optional().describe("The status of the HTTP answer."),
    witness: z.enum(["log", "answer"]).optional().describe("How the server reported the client's address."),
    reply: z.enum(["direct", "viaEntryNode", "onEntryNode"]).optional().describe("onEntryNode: the server runs there."),
    replyPackets: z
      .int()
      .min(0)
      .optional()
      .describe("Packets of these replies that a capture saw leaving the entry node."),
  })
  .describe("Attempts that showed the same.");

/** Why a row does not hold, by code: sentences and advice are made from it, never parsed. */
const reasonCodes = [
  "missing",
  "apiUnreachable",
  "apiRefused",
  "proberLost",
  "unresolved",
  "notSent",
  "unsent",
  "attemptsMissing",
  "otherVerdict",
  "sourceRewritten",
  "otherSource",
  "logWithoutAddress",
  "logUnreadable",
  "noServerKnown",
  "notLogged",
  "otherServer",
  "tooFewServers",
  "tooManyServers",
  "serversUnknown",
  "otherStatus",
  "otherEcho",
  "replyDetour",
  "replyShortcut",
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

const rowSchema = z.strictObject({
  from: z.string().describe("Where the probe left from, as the check names it."),
  to: z.string().describe("What it tried to reach, as the check names it."),
  ...outcomeFields,
  undecided: z
    .string()
    .optional()
    .describe(
      "Why this row could not be decided: the prober or the server had no CPU, or the prober's kernel lacks the protocol. Then `pass` is false, but the row does not count as failed.",
    ),
  step: z.string().optional().describe("Name of the check, and the step where it has several."),
  seconds: z.number().min(0).optional().describe("How long its step was tried. Absent: it was not reached."),
  reasons: z
    .array(z.enum(reasonCodes))
    .optional()
    .describe("Deviations from the expectation, each code once; `evidence` has the same in words."),
  evidence: z
    .array(z.string())
    .optional()
    .describe("Deviations from the expectation, then the evidence for the observation: log lines, captured packets."),
  next: z.array(z.string()).optional().describe("For a row that does not hold: commands that show why."),
  seen: z.array(seenSchema).optional().describe("The observation as facts; different attempts are separate."),
});

const figureSchema = z
  .strictObject({
    mode: z.string().describe("Who handled services meanwhile, as in compare.json."),
    connections: z.int().min(0),
    meanUs: z.number().min(0).describe("New connection: connect, GET, answer, close. Microseconds."),
    medianUs: estimateSchema,
    p99Us: z.number().min(0),
    rounds: z.int().min(0),
    disturbedRounds: z.int().min(0),
  })
  .describe("What new connections took in one mode; everything else about it is in compare.json.");

const thresholdSchema = z
  .strictObject({
    what: z.string().describe("e.g. medianUs of EbpfDsr as a ratio to KubeProxyIptables."),
    atMost: z.number(),
    observed: z.number().optional().describe("Absent: not measured."),
    pass: z.boolean(),
  })
  .describe("A limit that was set for a figure.");

const problemSchema = z
  .strictObject({
    what: z.string().describe("What could not be done or determined, and why."),
    next: z.string().optional().describe("What to do."),
  })
  .describe("Something that is not known.");

const skippedSchema = z
  .strictObject({
    step: z.string().describe("Name of the suite, and the step."),
    what: z.string().describe("Cases that were not tried."),
    why: z.string().describe("Why they cannot be tried here."),
  })
  .describe("Cases of a ready-made suite that need what is not here. They count as neither passed nor failed.");

/** The form of the verification's result, `out/verification.json`. */
export const resultSchema = z
  .strictObject({
    verdict: z.string().describe("Everything in one sentence."),
    verified: occasionSchema,
    passed: z.int().min(0).describe("Rows that hold."),
    failed: z.int().min(0).describe("Rows that do not."),
    undecided: z.int().min(0).describe("Rows that could not be decided; each says why."),
    rows: z.array(rowSchema).describe("One per expectation, in the order of the check."),
    skipped: z.array(skippedSchema).optional().describe("Where a suite was run."),
    problems: z.array(problemSchema).describe("What is not known. Empty: everything that was asked was found out."),
    figures: z.array(figureSchema).optional().describe("Where connections were measured."),
    thresholds: z.array(thresholdSchema).optional().describe("Where limits were set."),
    environment: environmentSchema.optional(),
    topology: topologySchema.optional().describe("The path of a connection in the verified mode, as captured."),
    reportPath: z.string().optional().describe("The report, an HTML file."),
  })
  .describe("What a verification expected and observed.");

export type Seen = z.output<typeof seenSchema>;
export type Row = z.output<typeof rowSchema>;
export type Figure = z.output<typeof figureSchema>;
export type ThresholdResult = z.output<typeof thresholdSchema>;
export type Skipped = z.output<typeof skippedSchema>;
export type Problem = z.output<typeof problemSchema>;
export type VerificationResult = z.output<typeof resultSchema>;

/** The results, before they are counted and summarised. */
export type Findings = Omit<VerificationResult, "verdict" | "passed" | "failed" | "undecided">;

/** A row that shows that something is not as expected. */
export const fails = ({ pass, undecided }: Row): boolean => !pass && undecided === undefined;

/** Whether everything holds, is known and is within its limits. */
export function holds({ failed, undecided, problems, thresholds = [] }: VerificationResult): boolean {
  return failed === 0 && undecided === 0 && problems.length === 0 && thresholds.every(({ pass }) => pass);
}
