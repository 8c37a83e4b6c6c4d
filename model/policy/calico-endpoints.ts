import { canonical, printed } from "../calico-selector/canonical.ts";
import { type Expression, fits, requiredLabels } from "../calico-selector/expression.ts";
import { parseSelector } from "../calico-selector/parse.ts";
import type { CalicoPolicySpec, GlobalPolicySpec } from "../objects/calico-policy/policies.ts";
import type { CalicoEntity } from "../objects/calico-policy/rule.ts";
import {
  calicoLabels,
  isOwnLabel,
  NAMESPACE_LABEL,
  OF_NAMESPACE,
  OF_SERVICE_ACCOUNT,
  SERVICE_ACCOUNT_LABEL,
} from "./calico-labels.ts";
import type { Who, WorkloadSelector } from "./workload-selector.ts";

// Combines the selectors that stand in several fields of a policy into one, as Calico's converter does (libcalico-go,
// updateprocessors/rules.go).

/** The selectors on one side of a rule. */
export type EntitySelectors = Pick<CalicoEntity, "selector" | "notSelector" | "namespaceSelector" | "serviceAccounts">;

/** The endpoints that one side of a rule selects; undefined: it has no selectors that an endpoint must match. `notSelector` alone, in a
 * policy without namespace, stands for all others, including addresses outside the cluster: `nobodyOf()`. */
export function entitySelector(entity: EntitySelectors, namespace: string | undefined): WorkloadSelector | undefined {
  const { selector, notSelector, namespaceSelector, serviceAccounts } = entity;
  const isLimited = selector || namespaceSelector || serviceAccounts || (notSelector && namespace !== undefined);
  if (!isLimited) return undefined;
  return endpoints([
    ...scope(namespaceSelector, namespace),
    ...(serviceAccounts ? accounts(serviceAccounts) : []),
    ...(selector ? [read(selector)] : []),
    ...(notSelector ? [not(read(notSelector))] : []),
  ]);
}

/** The endpoints that `notSelector` alone excludes; undefined: none. */
export function nobodyOf(entity: EntitySelectors, namespace: string | undefined): WorkloadSelector | undefined {
  const { notSelector } = entity;
  return notSelector && !entitySelector(entity, namespace) ? endpoints([read(notSelector)]) : undefined;
}

/** The endpoints to which a policy applies. */
export function subjectSelector(
  spec: Pick<CalicoPolicySpec, "selector" | "serviceAccountSelector"> &
    Partial<Pick<GlobalPolicySpec, "namespaceSelector">>,
  namespace: string | undefined,
): WorkloadSelector {
  const { selector, namespaceSelector, serviceAccountSelector } = spec;
  const account = namespace === undefined ? SERVICE_ACCOUNT_LABEL : undefined;
  const whom = endpoints([
    ...scope(namespaceSelector, namespace),
    ...(selector ? [read(selector)] : []),
    ...(serviceAccountSelector ? [prefixed(read(serviceAccountSelector), OF_SERVICE_ACCOUNT, account)] : []),
  ]);
  return { ...whom, selects: (who) => who.kind !== "networkSet" && isInScope(who, namespace) && whom.selects(who) };
}

/** A policy with a namespace applies to pods of that namespace. */
function isInScope({ kind }: Who, namespace: string | undefined): boolean {
  return namespace === undefined || kind === "pod";
}

/** In which namespaces, by selector or by the namespace of the policy. */
function scope(namespaceSelector: string | undefined, namespace: string | undefined): Expression[] {
  if (namespaceSelector) return [prefixed(read(namespaceSelector), OF_NAMESPACE, NAMESPACE_LABEL)];
  return namespace === undefined ? [] : [{ kind: "==", label: NAMESPACE_LABEL, value: namespace }];
}

function accounts({ names, selector }: NonNullable<EntitySelectors["serviceAccounts"]>): Expression[] {
  return [
    ...(names.length > 0 ? [{ kind: "in", label: SERVICE_ACCOUNT_LABEL, values: [...names].sort() } as const] : []),
    ...(selector ? [prefixed(read(selector), OF_SERVICE_ACCOUNT, undefined)] : []),
  ];
}

/** The expression about labels with a prefix. @param present the label that endpoints of `all()` have and those of `global()` do not
 * have */
function prefixed(expression: Expression, prefix: string, present: string | undefined): Expression {
  switch (expression.kind) {
    case "all":
      return present === undefined ? expression : { kind: "has", label: present };
    case "global":
      return present === undefined ? expression : not({ kind: "has", label: present });
    case "not":
      return not(prefixed(expression.operand, prefix, present));
    case "and":
    case "or":
      return { ...expression, operands: expression.operands.map((one) => prefixed(one, prefix, present)) };
    default:
      return { ...expression, label: prefix + expression.label };
  }
}

function not(operand: Expression): Expression {
  return { kind: "not", operand };
}

/** Schemas refuse a selector that cannot be parsed; here it would select nothing. */
function read(text: string): Expression {
  const parsed = parseSelector(text);
  return "expression" in parsed ? parsed.expression : not({ kind: "all" });
}

function endpoints(all: readonly Expression[]): WorkloadSelector {
  const expression = canonical({ kind: "and", operands: all });
  const required = requiredLabels(expression).filter(([label]) => isOwnLabel(label));
  // Thousands of policies may be in one namespace.
  const first = required.find(([label]) => label !== NAMESPACE_LABEL) ?? required[0];
  return {
    text: `endpoints ${printed(expression)}`,
    expression,
    ...(first && { firstLabel: first }),
    selects: (who) => who.kind !== "node" && fits(expression, calicoLabels(who)),
  };
}
