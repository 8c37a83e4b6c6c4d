import { at, checked, type InputPlace, refuse } from "../refusal/refusal.ts";
import { requireLabelKey, requireLabelValue } from "../values/labels.ts";
import { type Affinity, NodeSelectorOperator, type NodeSelectorRequirement } from "./agent-pods-args.ts";

const SOME = { least: 1, most: Number.POSITIVE_INFINITY, words: "at least one value" };
const NONE = { least: 0, most: 0, words: "left out" };
const NUMBER = { least: 1, most: 1, words: "exactly one whole number, in quotes" };

const VALUES = {
  [NodeSelectorOperator.In]: SOME,
  [NodeSelectorOperator.NotIn]: SOME,
  [NodeSelectorOperator.Exists]: NONE,
  [NodeSelectorOperator.DoesNotExist]: NONE,
  [NodeSelectorOperator.Gt]: NUMBER,
  [NodeSelectorOperator.Lt]: NUMBER,
};

/** Refuses expressions that Kubernetes would refuse, and those that no node can fit: to Kubernetes a term without expressions fits nothing. */
export function requireAffinity(place: InputPlace, { nodeAffinity }: Affinity): Affinity {
  const { nodeSelectorTerms } = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = at(
    at(at(place, "nodeAffinity"), "requiredDuringSchedulingIgnoredDuringExecution"),
    "nodeSelectorTerms",
  );
  if (nodeSelectorTerms.length === 0) refuse(terms, nodeSelectorTerms, "at least one term, or affinity is left out");
  const checkedTerms = nodeSelectorTerms.map(({ matchExpressions }, index) => {
    const field = at(at(terms, index), "matchExpressions");
    if (matchExpressions.length === 0) refuse(field, matchExpressions, "at least one: without any no node fits");
    return { matchExpressions: matchExpressions.map((one, place) => requireRequirement(at(field, place), one)) };
  });
  return {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: checkedTerms } },
  };
}

function requireRequirement(place: InputPlace, requirement: NodeSelectorRequirement): NodeSelectorRequirement {
  const { key, operator, values } = requirement;
  requireLabelKey(at(place, "key"), key);
  const field = at(place, "values");
  const { least, most, words } = VALUES[operator];
  const count = values?.length ?? 0;
  if (count < least || count > most || (most === 0 && values !== undefined))
    refuse(field, values, `${words} for the operator "${operator}"`);
  const fitting = values?.map((value, index) =>
    checked(value, (text) => requireValue(at(field, index), text, operator)),
  );
  return { key, operator, ...(fitting && { values: fitting }) };
}

function requireValue(place: InputPlace, text: string, operator: NodeSelectorOperator): string {
  if (VALUES[operator] !== NUMBER) return requireLabelValue(place, text);
  return /^-?\d{1,18}$/.test(text) ? text : refuse(place, text, `a whole number for the operator "${operator}"`);
}
