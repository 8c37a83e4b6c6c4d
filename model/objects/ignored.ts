import type { Problem } from "../problem.ts";
import { BANDWIDTH, bandwidthProblem } from "./bandwidth.ts";
import { ANNOTATIONS, OWN, TRAFFIC_CLASS } from "./metadata.ts";
import { WEIGHT, weightProblem } from "./weight.ts";

/** The objects whose annotations another dataplane would follow. */
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

const UNLIMITED = always(
  "not supported: the pod's traffic is not limited. Next: use kubernetes.io/ingress-bandwidth or egress-bandwidth.",
);

const OF_ONE_POD = always("without effect on a Namespace: an address is one pod's. Next: name an IPPool.");

/** By kind and annotation: what is asked for and not done; undefined if nothing is asked for. */
const IGNORED: Readonly<Record<string, Readonly<Record<string, Meaning>>>> = {
  Pod: {
    [BANDWIDTH.ingress]: bandwidthProblem,
    [BANDWIDTH.egress]: bandwidthProblem,
    [WEIGHT]: weightProblem,
    "cni.projectcalico.org/ipAddrsNoIpam": always(
      "refused, so the pod does not start: whoever writes pods could take any address, another pod's too. Next: name an address of an IPPool in cni.projectcalico.org/ipAddrs.",
    ),
    "cni.projectcalico.org/floatingIPs": always("not supported: the pod is not reachable there."),
    "cni.projectcalico.org/hwAddr": always("not supported: the interface has a hardware address of its own."),
    "cni.projectcalico.org/allowedSourcePrefixes": always("not supported: a pod sends from its own address only."),
  },
  Namespace: {
    "cni.projectcalico.org/ipAddrs": OF_ONE_POD,
    "cni.projectcalico.org/ipAddrsNoIpam": OF_ONE_POD,
  },
  Service: {
    "projectcalico.org/natExcludeService": (text) =>
      text === "true"
        ? "not supported: it is served. Next: label it service.kubernetes.io/service-proxy-name."
        : undefined,
    "lb.projectcalico.org/external-traffic-strategy": always("not supported: backends are chosen at random."),
  },
};

type AnnotatedKind = "Pod" | "Namespace" | "Service" | "Node";

/** Annotations whose effect this dataplane does not implement, and those of its own that do not exist. */
export function ignoredAnnotations(kind: AnnotatedKind, metadata: Annotated): Problem[] {
  const ignored = problemsOf(kind, metadata, (annotation, text) => {
    const meaning = IGNORED[kind]?.[annotation] ?? (kind === "Pod" ? trafficClass(annotation) : undefined);
    return meaning?.(text);
  });
  return [...ignored, ...unknownAnnotations(kind, metadata)];
}

/** Of this dataplane's annotations, those that each kind can have. */
const OWN_OF: Readonly<Record<AnnotatedKind, readonly string[]>> = {
  Service: [...ANNOTATIONS].filter((name) => name.startsWith(OWN)),
  Pod: [WEIGHT],
  Namespace: [],
  Node: [],
};
/** Marks that this project's own tools set. */
const MARKS = new Set(
  [
    "image-digest",
    "settings-digest",
    "configuration-digest",
    "cordoned-for-upgrade",
    "made-by-check",
    "published",
    "kube-proxy",
    "errand",
    "upgrade-step",
    "stack",
    "wireguard-public-key",
  ].map((name) => OWN + name),
);

/** A misspelt annotation, or one on an object of another kind, would have no effect, without a message. */
export function unknownAnnotations(kind: AnnotatedKind, metadata: Annotated): Problem[] {
  const known = OWN_OF[kind];
  const allowed = known.length > 0 ? `a ${kind} can have ${known.join(", ")}` : `a ${kind} has none of this prefix`;
  return problemsOf(kind, metadata, (annotation) =>
    annotation.startsWith(OWN) && !known.includes(annotation) && !MARKS.has(annotation)
      ? `unknown, so it has no effect: ${allowed}. Next: correct or remove it.`
      : undefined,
  );
}

function problemsOf(
  kind: AnnotatedKind,
  { name, namespace, annotations = {} }: Annotated,
  messageOf: (annotation: string, text: string) => string | undefined,
): Problem[] {
  return Object.entries(annotations).flatMap(([annotation, text]) => {
    const message = messageOf(annotation, text);
    const path = `metadata.annotations[${annotation}]`;
    return message ? [{ kind, namespace: namespace ?? undefined, name, path, message }] : [];
  });
}

function trafficClass(annotation: string): Meaning | undefined {
  if (!annotation.startsWith(TRAFFIC_CLASS)) return undefined;
  return annotation.endsWith("/dscp") ? always("not supported: the pod's packets are not marked.") : UNLIMITED;
}
