import { z } from "zod";
import { readCidr } from "../../address/address.ts";
import { metadata } from "../metadata.ts";
import { annotations, labels, objectName, oneOf, refused, selector, unique } from "./fields.ts";

// projectcalico.org/v3 KubeControllersConfiguration: which host endpoints are created automatically. Calico's other controllers have no
// counterpart here; their fields are accepted because they change no traffic.

const ENABLED = oneOf("Enabled", "Disabled").nullish();
/** As Go writes it. */
const DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/;
const duration = z.string().regex(DURATION, { error: "allowed are durations, such as 5m or 1h30m" }).nullish();
const period = z.strictObject({ reconcilerPeriod: duration }).nullish();
const port = z.int().min(0).max(65_535).nullish();

const cidr = refused(z.string(), (text) => (readCidr(text) ? undefined : `"${text}" is no CIDR`));

const template = z
  .strictObject({
    generateName: objectName.nullish(),
    interfaceCIDRs: unique(cidr).nullish(),
    interfacePattern: refused(z.string(), patternFault).nullish(),
    labels: labels.nullish(),
    annotations: annotations.nullish(),
    nodeSelector: selector(),
  })
  .refine(({ interfaceCIDRs, interfacePattern }) => interfaceCIDRs?.length || interfacePattern, {
    error: "needs interfaceCIDRs or interfacePattern",
  })
  .transform(({ generateName, interfaceCIDRs, interfacePattern, labels, nodeSelector }) => ({
    /** Stands at the end of the host endpoints' names. */
    generateName: generateName ?? "",
    /** Addresses of the node in these blocks are those of its host endpoint. */
    interfaceCIDRs: (interfaceCIDRs ?? []).map((text) => readCidr(text)?.text ?? text),
    /** A regular expression: one host endpoint for each interface of the node that it finds. */
    interfacePattern: interfacePattern || undefined,
    /** Beside the node's labels, and in place of those of the same name. */
    labels: labels ?? {},
    nodeSelector: nodeSelector ?? "all()",
  }));

function patternFault(pattern: string): string | undefined {
  try {
    new RegExp(pattern);
    return undefined;
  } catch {
    return `"${pattern}" is no regular expression`;
  }
}

const hostEndpoints = z.strictObject({
  autoCreate: ENABLED,
  createDefaultHostEndpoint: ENABLED,
  templates: z.array(template).nullish(),
});

const controllers = z.strictObject({
  node: z
    .strictObject({
      reconcilerPeriod: duration,
      leakGracePeriod: duration,
      syncLabels: z.literal("Enabled", { error: "only Enabled: host endpoints have their nodes' labels" }).nullish(),
      hostEndpoint: hostEndpoints.nullish(),
    })
    .nullish(),
  policy: period,
  workloadEndpoint: period,
  serviceAccount: period,
  namespace: period,
  loadBalancer: z
    .strictObject({ assignIPs: z.literal("AllServices", { error: "only AllServices" }).nullish() })
    .nullish(),
  migration: z.strictObject({ policyNameMigrator: ENABLED }).nullish(),
});

export const kubeControllersConfiguration = z.object({
  metadata: metadata.extend({ name: z.literal("default", { error: 'only "default" is followed' }) }),
  spec: z
    .strictObject({
      logSeverityScreen: oneOf("None", "Debug", "Info", "Warning", "Error", "Fatal", "Panic").nullish(),
      healthChecks: ENABLED,
      etcdV3CompactionPeriod: duration,
      prometheusMetricsPort: port,
      debugProfilePort: port,
      controllers: controllers.nullish(),
    })
    .nullish()
    .transform((spec) => {
      const { autoCreate, createDefaultHostEndpoint, templates } = spec?.controllers?.node?.hostEndpoint ?? {};
      return {
        /** Whether nodes have automatic host endpoints. */
        autoCreate: autoCreate === "Enabled",
        /** Whether there is one per node for all its interfaces. */
        createDefaultHostEndpoint: createDefaultHostEndpoint !== "Disabled",
        templates: templates ?? [],
      };
    }),
});
export type KubeControllersConfiguration = z.output<typeof kubeControllersConfiguration>;
