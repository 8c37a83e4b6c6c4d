import type * as pulumi from "@pulumi/pulumi";
import { at, checked, checkedBeside, checkedField, checkedList, type InputPlace, refuse } from "../refusal/refusal.ts";
import { requireUnique, requireWhole } from "../values/choices.ts";
import { requireLabelKey, requireLabels, requireLabelValue } from "../values/labels.ts";
import { requireLabel, requireObjectName } from "../values/names.ts";
import {
  type AgentPods,
  type LocalObjectReference,
  type ResourceRequirements,
  type Toleration,
  TolerationOperator,
  type UpdateStrategy,
} from "./agent-pods-args.ts";
import { requireResources } from "./agent-resources.ts";
import { AGENT_LABELS, OPERATING_SYSTEM } from "./names.ts";
import { requireAffinity } from "./node-affinity.ts";

type Texts = Record<string, pulumi.Input<string>>;

/** Refuses settings of the agents' DaemonSet and pods that Kubernetes would refuse, and settings with which no agent could run. */
export function requireAgentPods(place: InputPlace, pods: AgentPods): AgentPods {
  const { affinity, imagePullSecrets, tolerations, resources, updateStrategy } = pods;
  if (pods.createNamespace === false && pods.namespace === undefined)
    refuse(at(place, "createNamespace"), false, "true or left out without a namespace of yours");
  return {
    ...checkedField(place, "namespace", pods.namespace, requireNamespace),
    ...checkedField(place, "labels", pods.labels, requireOwnLabels),
    ...checkedField(place, "annotations", pods.annotations, requireAnnotations),
    ...(imagePullSecrets && {
      imagePullSecrets: checkedList(at(place, "imagePullSecrets"), imagePullSecrets, requireSecrets),
    }),
    ...checkedField(place, "nodeSelector", pods.nodeSelector, requireNodeSelector),
    ...(affinity && { affinity: requireAffinity(at(place, "affinity"), affinity) }),
    ...(tolerations && {
      tolerations: tolerations.map((item, index) => requireToleration(at(at(place, "tolerations"), index), item)),
    }),
    ...(resources && {
      resources: checkedBeside<unknown, never>(resources, [], (known) =>
        requireResources(at(place, "resources"), known as object),
      ) as pulumi.Input<ResourceRequirements>,
    }),
    ...(updateStrategy && { updateStrategy: requireUpdateStrategy(at(place, "updateStrategy"), updateStrategy) }),
    ...checkedField(place, "priorityClassName", pods.priorityClassName, requireObjectName),
  };
}

/** Refuses invalid labels, and labels that the dataplane sets itself. */
export function requireOwnLabels(place: InputPlace, labels: Texts): Texts {
  for (const key of Object.keys(labels))
    if (Object.hasOwn(AGENT_LABELS, key) || isOfDataplane(key))
      refuse(place, key, "labels of your own: the dataplane has this one itself");
  return requireLabels(place, labels);
}

function requireAnnotations(place: InputPlace, annotations: Texts): Texts {
  for (const key of Object.keys(annotations)) {
    requireLabelKey(place, key);
    if (isOfDataplane(key)) refuse(place, key, "annotations of your own: the dataplane has this one itself");
  }
  return annotations;
}

/** Kubernetes' own namespaces, where its controllers keep their Leases. */
const RESERVED = ["default", "kube-system", "kube-public", "kube-node-lease"];

function requireNamespace(place: InputPlace, namespace: string): string {
  if (RESERVED.includes(namespace))
    refuse(
      place,
      namespace,
      "a namespace apart from Kubernetes' own: agents get rights to everything of a kind in theirs",
    );
  return requireLabel(place, namespace);
}

const isOfDataplane = (key: string): boolean => key.startsWith("ebpf-dataplane.io/");

function requireNodeSelector(place: InputPlace, selector: Texts): Texts {
  const labels = requireLabels(place, selector);
  const [key, system] = OPERATING_SYSTEM;
  const given = labels[key];
  if (given === undefined) return labels;
  const linux = checked(given, (known) =>
    known === system ? known : refuse(at(place, key), known, `"${system}", or left out: agents are programs for Linux`),
  );
  return { ...labels, [key]: linux };
}

/** All values are known here. */
function requireSecrets(place: InputPlace, secrets: LocalObjectReference[]): LocalObjectReference[] {
  const field = (index: number) => at(at(place, index), "name");
  const names = secrets.map(({ name }, index) => requireObjectName(field(index), name as string));
  requireUnique(field, names);
  return secrets;
}

function requireToleration(place: InputPlace, toleration: Toleration): Toleration {
  const { key, operator = TolerationOperator.Equal, value } = toleration;
  if (operator === TolerationOperator.Equal && key === undefined)
    refuse(at(place, "key"), key, 'given, or operator "Exists" beside it for every taint');
  if (operator === TolerationOperator.Exists && value !== undefined)
    refuse(at(place, "value"), value, 'left out beside operator "Exists"');
  return {
    ...toleration,
    ...checkedField(place, "key", key, requireLabelKey),
    ...checkedField(place, "value", value, requireLabelValue),
  };
}

/** Kubernetes stores these numbers in 32 bits. */
const MOST_NODES = 2 ** 31 - 1;

function requireUpdateStrategy(place: InputPlace, { rollingUpdate }: UpdateStrategy): UpdateStrategy {
  if (rollingUpdate === undefined) return {};
  const field = at(place, "rollingUpdate");
  return { rollingUpdate: checkedField(field, "maxUnavailable", rollingUpdate.maxUnavailable, requireMaxUnavailable) };
}

function requireMaxUnavailable(place: InputPlace, most: unknown): unknown {
  if (typeof most === "number") return requireWhole(place, most, 1, MOST_NODES);
  if (typeof most === "string" && /^([1-9]\d?|100)%$/.test(most)) return most;
  const meant = typeof most === "string" && /^[1-9]\d*$/.test(most) ? ` (did you mean ${most}, without quotes?)` : "";
  return refuse(place, most, `a whole number of nodes, or a part of them from "1%" to "100%"${meant}`);
}
