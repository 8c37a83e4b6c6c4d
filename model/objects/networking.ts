import { z } from "zod";
import { cidr } from "./cidr.ts";
import { isLabelKey } from "./label-key.ts";
import { list, metadata } from "./metadata.ts";

// networking.k8s.io/v1 NetworkPolicy. An unknown field may narrow the fields next to it, so it is refused with
// its path: without it the policy would allow more.

const KEY = 'must be the key of a label, like "app" or "app.kubernetes.io/name"';
const key = z.string().refine(isLabelKey, KEY);

/** An entry that a record leaves out is none that may be left out: without it a selector selects more. */
const matchLabels = z.preprocess((written, { addIssue }) => {
  const isLost = typeof written === "object" && written !== null && Object.hasOwn(written, "__proto__");
  if (isLost) addIssue({ code: "custom", path: ["__proto__"], message: KEY });
  return written;
}, z.record(key, z.string()).nullish());

const requirement = z
  .strictObject({
    key,
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
    values: list(z.string()),
  })
  .refine(({ operator, values }) => !operator.endsWith("In") || values.length > 0, {
    message: "In and NotIn need values",
    path: ["values"],
  })
  .refine(({ operator, values }) => operator.endsWith("In") || values.length === 0, {
    message: "Exists and DoesNotExist have no values",
    path: ["values"],
  });

/** What Kubernetes takes for no selector is refused, also where its API server lets it pass, as in custom resources. */
export const labelSelector = z.strictObject({ matchLabels, matchExpressions: list(requirement) });
export type LabelSelector = z.infer<typeof labelSelector>;

const peer = z
  .strictObject({
    podSelector: labelSelector.nullish(),
    namespaceSelector: labelSelector.nullish(),
    ipBlock: z.strictObject({ cidr, except: list(cidr) }).nullish(),
  })
  .refine((value) => !(value.ipBlock && (value.podSelector || value.namespaceSelector)), {
    message: "ipBlock cannot stand beside podSelector or namespaceSelector; use two peers",
  })
  .refine((value) => value.ipBlock || value.podSelector || value.namespaceSelector, {
    message: "a peer needs one of podSelector, namespaceSelector, ipBlock",
  });
export type NetworkPolicyPeer = z.infer<typeof peer>;

const port = z
  .strictObject({
    protocol: z.enum(["TCP", "UDP", "SCTP"]).nullish(),
    port: z
      .union([z.int().min(1).max(65535), z.string().min(1)], {
        error: "must be a port from 1 to 65535, or the name of a port",
      })
      .nullish(),
    endPort: z.int().min(1).max(65535).nullish(),
  })
  .refine((value) => value.endPort == null || typeof value.port === "number", {
    message: "endPort needs a numeric port",
    path: ["endPort"],
  })
  .refine((value) => value.endPort == null || typeof value.port !== "number" || value.endPort >= value.port, {
    message: "endPort must be equal to or greater than port",
    path: ["endPort"],
  });
export type NetworkPolicyPort = z.infer<typeof port>;

export const networkPolicySpec = z.strictObject({
  podSelector: labelSelector.nullish(),
  policyTypes: list(z.enum(["Ingress", "Egress"])),
  ingress: list(z.strictObject({ from: list(peer), ports: list(port) })),
  // Whether `egress` is present decides the default of policyTypes, so absence must survive.
  egress: z.array(z.strictObject({ to: list(peer), ports: list(port) })).nullish(),
});

export const networkPolicy = z.object({
  metadata,
  spec: networkPolicySpec
    .nullish()
    .transform((spec) => spec ?? { podSelector: undefined, policyTypes: [], ingress: [], egress: undefined }),
});
export type NetworkPolicy = z.infer<typeof networkPolicy>;
