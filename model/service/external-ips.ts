import { type Cidr, covers, readCidr } from "../address/address.ts";
import { annotations as named } from "../mode/mode.ts";
import type { FelixConfiguration } from "../objects/calico.ts";
import type { Problem } from "../problem.ts";

/** What an administrator says of `spec.externalIPs`, which anybody may write who may write a Service (CVE-2020-8554). */
export interface ExternalIpPolicy {
  /** Why the address is not served; undefined: it may be. */
  refusal(address: Cidr): string | undefined;
  readonly problems: readonly Problem[];
}

/** Reads the policy. Without a word everything is allowed, as by the API server and kube-proxy; a word that cannot be
 * read denies everything. */
export function externalIpPolicy(configuration: FelixConfiguration | undefined): ExternalIpPolicy {
  const annotations = configuration?.metadata.annotations;
  const word = annotations?.[named.externalIps] ?? "Allow";
  const texts = (annotations?.[named.externalIpNetworks] ?? "").split(",").map((text) => text.trim());
  const networks = texts.filter(Boolean).map((text) => [text, readCidr(text)] as const);
  const problems = [
    ...(word === "Allow" || word === "Deny"
      ? []
      : [unreadable(named.externalIps, `"${word}" is neither Allow nor Deny`)]),
    ...networks.flatMap(([text, cidr]) => (cidr ? [] : [unreadable(named.externalIpNetworks, `"${text}" is no CIDR`)])),
  ];
  const allowed = networks.map(([, cidr]) => cidr);
  return {
    problems,
    refusal: (address) => {
      if (problems.length > 0)
        return `externalIPs are denied: FelixConfiguration default has an annotation that is wrong`;
      if (word === "Deny") return "externalIPs are denied on this cluster";
      if (allowed.length === 0 || allowed.some((cidr) => cidr && covers(cidr, address))) return undefined;
      return `externalIPs are allowed in ${networks.map(([text]) => text).join(", ")} only`;
    },
  };
}

function unreadable(annotation: string, what: string): Problem {
  return {
    kind: "FelixConfiguration",
    name: "default",
    path: `metadata.annotations["${annotation}"]`,
    message: `${what}; every externalIP is denied. Next: write Allow, Deny, or networks like 203.0.113.0/24.`,
  };
}
