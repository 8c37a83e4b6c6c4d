import type * as pulumi from "@pulumi/pulumi";
import { at, checked, type InputPlace, refuse } from "../refusal/refusal.ts";
import { requireLabelKey, requireLabels, requireLabelValue } from "../values/labels.ts";
import { type LabelSelector, LabelSelectorOperator, type LabelSelectorRequirement } from "./args.ts";
import { requireGiven } from "./given.ts";

/** Refuses a selector that Kubernetes would refuse; what is not known yet is looked at as soon as it is. */
export function requireSelector(place: InputPlace, selector: pulumi.Input<LabelSelector>): pulumi.Input<LabelSelector> {
  return checked(selector, (known) => {
    requireGiven(place, known);
    const { matchLabels, matchExpressions } = known;
    return {
      ...(matchLabels && {
        matchLabels: checked(matchLabels, (labels) => requireLabels(at(place, "matchLabels"), labels)),
      }),
      ...(matchExpressions && {
        matchExpressions: matchExpressions.map((requirement, index) =>
          requireRequirement(at(at(place, "matchExpressions"), index), requirement),
        ),
      }),
    };
  });
}

function requireRequirement(place: InputPlace, requirement: LabelSelectorRequirement): LabelSelectorRequirement {
  requireGiven(place, requirement);
  const { key, operator, values } = requirement;
  requireLabelKey(at(place, "key"), key);
  const field = at(place, "values");
  const compares = operator === LabelSelectorOperator.In || operator === LabelSelectorOperator.NotIn;
  if (compares && !values?.length) refuse(field, values, `at least one value for the operator "${operator}"`);
  if (!compares && values !== undefined) refuse(field, values, `absent for the operator "${operator}"`);
  const known = values?.map((value, index) => checked(value, (text) => requireLabelValue(at(field, index), text)));
  return { key, operator, ...(known && { values: known }) };
}
