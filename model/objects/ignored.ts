import type { Problem } from "../problem.ts";
import { TRAFFIC_CLASS } from "./metadata.ts";

/** The objects whose annotations somebody else's dataplane would follow. */
interface Annotated {
  readonly name: string;
  readonly namespace?: string | null | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

type Meaning = (text: string) => string | undefined;

const always =
  (message: string): Meaning =>
  () =>
    message;

const OWN_ADDRESS = always("not supported: a pod has an address of its node's block.");
const UNLIMITED = always("not supported yet: the pod's traffic is not limited.");

/** By kind and annotation: what is not done although it is asked for; undefined where nothing is asked for. */
const IGNORED: Readonly<Record<string, Readonly<Record<string, Meaning>>>> = {
  Pod: {
    "kubernetes.io/ingress-bandwidth": UNLIMITED,
    "kubernetes.io/egress-bandwidth": UNLIMITED,
    "cni.projectcalico.org/ipAddrs": OWN_ADDRESS,
    "cni.projectcalico.org/ipAddrsNoIpam": OWN_ADDRESS,
    "cni.projectcalico.org/ipv4pools": OWN_ADDRESS,
    "cni.projectcalico.org/ipv6pools": OWN_ADDRESS,
    "cni.projectcalico.org/floatingIPs": always("not supported: the pod is not reachable there."),
    "cni.projectcalico.org/hwAddr": always("not supported: the interface has a hardware address of its own."),
    "cni.projectcalico.org/allowedSourcePrefixes": always("not supported: a pod sends from its own address only."),
  },
  Namespace: {
    "cni.projectcalico.org/ipv4pools": OWN_ADDRESS,
    "cni.projectcalico.org/ipv6pools": OWN_ADDRESS,
  },
  Service: {
    "projectcalico.org/natExcludeService": (text) =>
      text === "true"
        ? "not supported: it is served. Next: label it service.kubernetes.io/service-proxy-name."
        : undefined,
    "lb.projectcalico.org/external-traffic-strategy": always("not supported: backends are chosen at random."),
  },
};

/** Annotations whose effect this dataplane does not implement. */
export function ignoredAnnotations(kind: keyof typeof IGNORED, metadata: Annotated): Problem[] {
  return Object.entries(metadata.annotations ?? {}).flatMap(([annotation, text]) => {
    const meaning = IGNORED[kind]?.[annotation] ?? (kind === "Pod" ? trafficClass(annotation) : undefined);
    const message = meaning?.(text);
    if (!message) return [];
    const { name, namespace } = metadata;
    return [{ kind, namespace: namespace ?? undefined, name, path: `metadata.annotations[${annotation}]`, message }];
  });
}

function trafficClass(annotation: string): Meaning | undefined {
  if (!annotation.startsWith(TRAFFIC_CLASS)) return undefined;
  return annotation.endsWith("/dscp") ? always("not supported: the pod's packets are not marked.") : UNLIMITED;
}
