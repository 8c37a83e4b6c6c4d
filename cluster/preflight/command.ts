// The command line of `preflight`.
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { ClusterFailure } from "../failure.ts";
import type { Preflight } from "./run.ts";
import { renderFindings } from "./table.ts";

export interface PreflightOptions {
  kubeconfig?: string;
  context?: string;
  podCidr?: string[];
  serviceSubnet?: string;
  serviceSubnetIpv6?: string;
  namespace?: string;
  image?: string;
  json: boolean;
  /** Whether a deployment asks: it passes its plan on standard input, and reads the result on standard output. */
  document: boolean;
}

/** What the options say of the plan. */
export function plannedIn({ podCidr, serviceSubnet, serviceSubnetIpv6, namespace, image }: PreflightOptions) {
  return {
    ...(podCidr && { podCidrs: podCidr }),
    ...(serviceSubnet && { serviceSubnet }),
    ...(serviceSubnetIpv6 && { serviceSubnetIpv6 }),
    ...(namespace && { namespace, createNamespace: false }),
    ...(image && { image }),
  };
}

/** Prints what was found. @throws ClusterFailure if something blocks the dataplane */
export function showPreflight(
  found: Preflight,
  plan: PreflightPlan,
  { json, document }: Pick<PreflightOptions, "json" | "document">,
  say: (line: string) => void,
): void {
  const { columns } = document || json ? process.stderr : process.stdout;
  const table = renderFindings(found.findings, columns);
  // A person reads the table, a program the document.
  if (document || json) process.stdout.write(`${JSON.stringify(found)}\n`);
  if (document) say(table);
  else if (!json) process.stdout.write(`${table}\n`);
  if (!document && !plan.image)
    say("the nodes' kernels were not asked: --image IMAGE starts a short-lived pod on each");
  if (found.refused === 0) return;
  throw new ClusterFailure(
    `${found.refused} of ${found.findings.length} findings block the dataplane; nothing was changed`,
    "follow the table's advice, or change the arguments, and run the same command again",
  );
}
