import { z } from "zod";
import { FAMILIES } from "../../model/address/address.ts";
import { DESTINATION, PORTS, parseDestination } from "../../model/expectation/destination.ts";
import { parsePath, STATUS } from "../../model/expectation/http.ts";
import { heldPorts } from "../../model/expectation/kept-ports.ts";
import { listenContradictions, parseListenerPlace, parsePorts } from "../../model/expectation/listener.ts";
import { parsePlace, parseServer, parseSource } from "../../model/expectation/place.ts";
import { COUNTS, contradictionsIn, SIZES } from "../../model/expectation/rules.ts";
import { known, oneOf, parsed, text, whole } from "./fields.ts";

const metadataSchema = z.looseObject(
  { name: text("the object's name"), namespace: text("a namespace").optional() },
  { error: "must be an object with name and, for namespaced kinds, namespace" },
);

const objectSchema = z
  .looseObject(
    {
      apiVersion: text("a group and version, like apps/v1"),
      kind: text("a kind, like Deployment"),
      metadata: metadataSchema,
    },
    { error: "must be a Kubernetes object" },
  )
  .describe("A Kubernetes object, as kubectl apply takes it.");

const referenceSchema = known(
  {
    apiVersion: text("a group and version, like apps/v1"),
    kind: text("a kind, like Deployment"),
    metadata: known({ name: text("the object's name"), namespace: text("a namespace").optional() }, "Which object."),
  },
  "An object to delete.",
);

const sourceText = parsed(
  parseSource,
  "an address or a place",
  "An address, a machine, node/NAME or pod/NAMESPACE/NAME.",
);
/** Every source that is allowed. */
const sourceSchema = z.union(
  [
    sourceText.transform((source) => [source]),
    known(
      { anyOf: z.array(sourceText).min(1, { error: "must name at least one source" }) },
      "One of several.",
    ).transform(({ anyOf }) => anyOf),
  ],
  { error: (issue) => sourceProblem(issue.input) },
);

/** A union's own issue hides what its members said; a written source is nearly always the text form. */
function sourceProblem(input: unknown): string {
  if (typeof input === "object" && input !== null && "anyOf" in input && Array.isArray(input.anyOf) && !input.anyOf[0])
    return "must name at least one source";
  const listed = typeof input === "object" && input !== null && "anyOf" in input ? input.anyOf : input;
  for (const source of Array.isArray(listed) ? listed : [listed]) {
    if (typeof source !== "string") break;
    const result = sourceText.safeParse(source);
    if (!result.success) return result.error.issues[0]?.message ?? "is not a source";
  }
  return "must be an address, a machine, node/NAME or pod/NAMESPACE/NAME, or {anyOf: [...]} with several of these";
}

const distinctSchema = known(
  {
    atLeast: whole(COUNTS.least, COUNTS.most, "So many distinct servers answered, at least.").optional(),
    atMost: whole(COUNTS.least, COUNTS.most, "So many, at most: 1 with session affinity.").optional(),
  },
  "How many distinct servers answered, over all attempts.",
);

const httpSchema = known(
  {
    path: parsed(parsePath, "a path", 'What is asked for. Default "/".')
      .transform(({ value }) => value)
      .prefault("/"),
    status: whole(STATUS.least, STATUS.most, "The status of each answer. Default 200.").default(200),
  },
  "What an HTTP server answers.",
);

const icmpSchema = known(
  {
    type: whole(
      0,
      255,
      "Type of the query: 8 echo request, 13 timestamp; over IPv6 128. Default: an echo request.",
    ).optional(),
    code: whole(0, 255, "Its code. Default 0.").default(0),
  },
  "The ICMP query, with icmp://.",
);

const expectationSchema = known(
  {
    from: parsed(
      parsePlace,
      "a place",
      "A machine, node/NAME (its host network), pod/NAMESPACE/NAME or pod/NAMESPACE/LABEL=VALUE (every such pod).",
    ),
    to: parsed(parseDestination, DESTINATION, `${DESTINATION}.`),
    verdict: oneOf(["allowed", "dropped", "rejected"], "dropped: no answer. rejected: TCP reset or ICMP unreachable."),
    source: sourceSchema.optional().describe("Whom the server saw."),
    sourcePort: whole(PORTS.least, PORTS.most, "Local port to bind: one flow over several steps.").optional(),
    keep: z
      .boolean({ error: "must be true or false" })
      .optional()
      .describe("With sourcePort: the socket stays open, and later steps with the same from, to and port use it."),
    servers: z
      .array(parsed(parseServer, "NAMESPACE/NAME", "NAMESPACE/NAME or NAMESPACE/LABEL=VALUE."), {
        error: "must be a list of NAMESPACE/NAME",
      })
      .min(1, { error: "must name at least one pod" })
      .optional()
      .describe("Pods that may answer."),
    distinct: distinctSchema.optional(),
    spread: whole(COUNTS.least, COUNTS.most, "Short form of distinct.atLeast.").optional(),
    spreadAtMost: whole(COUNTS.least, COUNTS.most, "Short form of distinct.atMost.").optional(),
    http: httpSchema.optional(),
    icmp: icmpSchema.optional(),
    size: whole(SIZES.least, SIZES.tcp, "Bytes that are sent, and that the server sends back whole.").optional(),
    family: oneOf(FAMILIES, "The family of the address that the host in `to` stands for.").optional(),
    count: whole(COUNTS.least, COUNTS.most, "Attempts, each a fresh connection or datagram. Default 1.").default(1),
    reply: oneOf(["direct", "viaEntryNode"], "How replies return: past the entry node, or through it.").optional(),
  },
  "One thing that must show.",
)
  .superRefine((expectation, context) => {
    const { from, to } = expectation;
    for (const { field, problem, allowed } of contradictionsIn({ ...expectation, from: from.value, to: to.value }))
      context.addIssue({ code: "custom", path: field.split("."), message: `${problem}; allowed: ${allowed}` });
  })
  .transform(({ distinct, ...rest }) => ({
    ...rest,
    ...(distinct && { spread: distinct.atLeast, spreadAtMost: distinct.atMost }),
  }));

const stepSchema = known(
  {
    name: text("what the step is about, in a few words").optional().describe("What the step is about, in a few words."),
    apply: z
      .array(objectSchema, { error: "must be a list of objects" })
      .default([])
      .describe("Objects, applied server-side in order."),
    delete: z
      .array(referenceSchema, { error: "must be a list of objects" })
      .default([])
      .describe("Objects, deleted after `apply`."),
    expect: z
      .array(expectationSchema, { error: "must be a list of expectations" })
      .prefault([])
      .describe("Tried together until all hold or `within` seconds passed; then they must still hold once more."),
    within: z
      .number({ error: "must be a number of seconds" })
      .positive({ error: "must be more than 0 seconds" })
      .max(3600, { error: "must be at most 3600 seconds" })
      .default(15)
      .describe("Seconds. Default 15."),
  },
  "A step.",
);

/** A port may be written as a number. */
const portsSchema = (protocol: string) => {
  const allowed = `ports, like "8080" or "8080,8081"`;
  return z
    .union([z.int(), z.string()], { error: `must be ${allowed}` })
    .transform(String)
    .pipe(parsed(parsePorts, allowed, `${protocol} ports.`).transform(({ value }) => value))
    .describe(`${protocol} ports, like "8080" or "8080,8081".`);
};

const listenSchema = z
  .array(
    known(
      {
        at: parsed(parseListenerPlace, "a machine or node/NAME", "A machine, or node/NAME (its host network)."),
        tcp: portsSchema("TCP").optional(),
        udp: portsSchema("UDP").optional(),
      },
      "A probe server.",
    ),
    { error: "must be a list of {at, tcp, udp}" },
  )
  .superRefine((entries, context) => {
    const stated = entries.map(({ at, tcp, udp }) => ({ at: at.text, tcp, udp }));
    for (const { field, problem, allowed } of listenContradictions(stated))
      context.addIssue({ code: "custom", path: field, message: `${problem}; allowed: ${allowed}` });
  })
  .describe("Probe servers on machines and on nodes' host network, while this file runs.");

/** The form of a check file. */
export const checkSchema = known(
  {
    name: text("what is being checked, in words").describe("What is being checked, in words."),
    listen: listenSchema.prefault([]),
    setup: z
      .array(objectSchema, { error: "must be a list of objects" })
      .default([])
      .describe("Objects, applied in order before the steps and removed in reverse order at the end."),
    steps: z
      .array(stepSchema, { error: "must be a list of steps" })
      .min(1, { error: "must hold at least one step" })
      .superRefine((steps, context) => {
        const uses = steps.map(({ expect }) =>
          expect.map(({ from, to, sourcePort, keep }) => ({ from: from.text, to: to.value, sourcePort, keep })),
        );
        for (const { step, index, by } of heldPorts(uses))
          context.addIssue({
            code: "custom",
            path: [step, "expect", index, "sourcePort"],
            message: `is kept open by steps[${by.step}].expect[${by.index}]; allowed: another port, or keep: true here too`,
          });
      }),
  },
  "What must hold on a cluster.",
);

export type Check = z.output<typeof checkSchema>;
export type Listener = Check["listen"][number];
export type Step = Check["steps"][number];
export type Expectation = Step["expect"][number];
export type KubernetesObject = z.output<typeof objectSchema>;
export type ObjectReference = z.output<typeof referenceSchema>;

/** An expectation that a program makes, not a file. */
export const expectationOf = (written: z.input<typeof expectationSchema>): Expectation =>
  expectationSchema.parse(written);
