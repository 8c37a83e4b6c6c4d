import type * as pulumi from "@pulumi/pulumi";
import { admission, type Validation } from "./admission.ts";
import { AGENT } from "./names.ts";

/** Of Calico's NetworkPolicies in other tiers than `default`, which are asked before those of the namespace's owner: who writes them needs the rights that Calico asks for (its tiered access control),
 * or whoever may write NetworkPolicies in a namespace could stand before every policy of an administrator's tier there. */
export function tierAdmission(name: string, opts: pulumi.ResourceOptions) {
  const group = "projectcalico.org";
  const tierOf = (object: string) =>
    `(has(${object}.spec.tier) && ${object}.spec.tier != '' ? ${object}.spec.tier : 'default')`;
  const verb = "{'CREATE': 'create', 'UPDATE': 'update', 'DELETE': 'delete'}[request.operation]";
  const may = (object: string, resource: string) =>
    `authorizer.group('${group}').resource('tier.networkpolicies').namespace(${object}.metadata.namespace).name(${resource}).check(${verb}).allowed()`;
  const validations = ["object", "oldObject"].map((object): Validation => {
    const tier = tierOf(object);
    const seesTier = `authorizer.group('${group}').resource('tiers').name(${tier}).check('get').allowed()`;
    const writes = [`${tier} + '.*'`, `${object}.metadata.name`].map((named) => may(object, named)).join(" || ");
    return {
      expression: `${object} == null || ${tier} == 'default' || (${seesTier} && (${writes}))`,
      messageExpression: `'who writes NetworkPolicies of the tier ' + ${tier} + ' needs the rights to get tiers/' + ${tier} + ' and to ' + ${verb} + ' tier.networkpolicies with the name ' + ${tier} + '.* of ${group}, as in Calico'`,
      reason: "Forbidden",
    };
  });
  const rule = {
    apiGroups: [group],
    apiVersions: ["*"],
    operations: ["CREATE", "UPDATE", "DELETE"],
    resources: ["networkpolicies"],
  };
  return admission({ prefix: `${name}-tiers`, object: `${AGENT}-tiers`, rule, validations }, opts);
}
