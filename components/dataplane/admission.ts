import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PUBLIC_KEY } from "../../model/encryption/encryption.ts";
import { apiVersionOf, kinds } from "../../model/objects/kinds.ts";
import { LOAD_BALANCER_CLASS } from "../../model/service/balancer/class.ts";
import { AGENT, AGENT_LABELS, BALANCER, ENCRYPTION } from "./names.ts";

/** The name of the node that runs the pod, which the API server adds to the user of a pod's token (KEP-4193). */
const NODE_CLAIM = "authentication.kubernetes.io/node-name";
const OF_NODE = "size(variables.nodes) == 1";
const TOKEN = `(${OF_NODE} ? 'node ' + variables.nodes[0] : 'no node')`;

type Rule = k8s.types.input.admissionregistration.v1.NamedRuleWithOperations;
export type Validation = k8s.types.input.admissionregistration.v1.Validation;

/**
 * An agent's token makes and changes IPAMBlocks of its own node only, and deletes those and the blocks of nodes that do not exist. All agents share one
 * ServiceAccount, so without this the token of one node that was broken into could take the addresses of every pod. That no pod needs a block of a node
 * that is gone, and that a block lies in its pool, is for agents to say: the API server cannot compare so many objects.
 */
export function blockAdmission(name: string, namespace: pulumi.Input<string>, opts: pulumi.ResourceOptions) {
  const rule = { apiGroups: ["ebpf-dataplane.io"], apiVersions: ["*"], resources: ["ipamblocks"] };
  const messageExpression = `'an agent may write IPAMBlocks of its own node only; this token is of ' + ${TOKEN}`;
  const own = (object: string) => `${object}.spec.node == variables.nodes[0]`;
  const written = ["object", "oldObject"].map((object) => ({
    expression: `${object} == null || (${OF_NODE} && ${own(object)})`,
    messageExpression,
    reason: "Forbidden",
  }));
  const deleted = {
    expression: `${OF_NODE} && (${own("oldObject")} || oldObject.spec.node != params.metadata.name)`,
    messageExpression: `'an agent may delete IPAMBlocks of its own node and of nodes that do not exist; this token is of ' + ${TOKEN}`,
    reason: "Forbidden",
  };
  return [
    agentAdmission(
      {
        prefix: name,
        object: AGENT,
        namespace,
        rule: { ...rule, operations: ["CREATE", "UPDATE"] },
        validations: written,
      },
      opts,
    ),
    agentAdmission(
      {
        prefix: `${name}-deletions`,
        object: `${AGENT}-deletions`,
        namespace,
        rule: { ...rule, operations: ["DELETE"] },
        validations: [deleted],
        // Every Node is checked, and each one can refuse the request.
        params: { apiVersion: "v1", kind: "Node", absent: "Deny" },
      },
      opts,
    ),
  ];
}

/** An IPPool from which nodes have blocks must not be deleted: without it their blocks would not be in force, and their pods would lose
 * their network. That holds while agents have their rights. An API server applies a deleted policy for about a second, but knows at once that a role
 * is no longer bound (access.ts): so pools can go when everything is destroyed, where blocks remain. */
export function poolAdmission(name: string, namespace: pulumi.Input<string>, opts: pulumi.ResourceOptions) {
  const rule = { apiGroups: ["projectcalico.org"], apiVersions: ["*"], operations: ["DELETE"], resources: ["ippools"] };
  const validation = {
    expression: "params.spec.pool != oldObject.metadata.name",
    messageExpression:
      "'pods may have addresses of it: node ' + params.spec.node + ' has its block ' + params.spec.cidr + '. Next: set spec.disabled to true, and delete it when kubectl get ipamblocks shows no block of it (nodes give empty ones back after some minutes)'",
    reason: "Forbidden",
  };
  return admission(
    {
      prefix: `${name}-pools`,
      object: `${AGENT}-pools`,
      rule,
      condition: {
        name: "agents-have-their-rights",
        expression: pulumi.interpolate`authorizer.serviceAccount('${namespace}', '${AGENT}').group('${kinds.ipamBlocks.group}').resource('${kinds.ipamBlocks.plural}').check('create').allowed()`,
      },
      validations: [validation],
      params: { apiVersion: apiVersionOf(kinds.ipamBlocks), kind: kinds.ipamBlocks.kind, absent: "Allow" },
    },
    opts,
  );
}

/** Of agents that are the load balancer. A holder of a Lease is the agent's own node, only an own Lease or one without a holder is deleted, and of a Service's status only the addresses of a
 * load balancer that is this dataplane are written. Which addresses are served is for the pools to say (frontend-rules.ts). */
export function balancerAdmission(name: string, namespace: pulumi.Input<string>, opts: pulumi.ResourceOptions) {
  const leases = {
    apiGroups: ["coordination.k8s.io"],
    apiVersions: ["*"],
    operations: ["CREATE", "UPDATE", "DELETE"],
    resources: ["leases"],
  };
  const statuses = { apiGroups: [""], apiVersions: ["*"], operations: ["UPDATE"], resources: ["services/status"] };
  const common = { namespace };
  return [
    agentAdmission(
      { ...common, prefix: `${name}-leases`, object: `${BALANCER}-leases`, rule: leases, validations: [leaseRule()] },
      opts,
    ),
    agentAdmission(
      {
        ...common,
        prefix: `${name}-statuses`,
        object: `${BALANCER}-statuses`,
        rule: statuses,
        validations: statusRules(),
      },
      opts,
    ),
  ];
}

function leaseRule(): Validation {
  const holder = (object: string) => `(has(${object}.spec.holderIdentity) ? ${object}.spec.holderIdentity : '')`;
  const own = (object: string) => `${holder(object)} == variables.nodes[0]`;
  const givenBack = `(${holder("object")} == '' && oldObject != null && ${own("oldObject")})`;
  const ofNode = (object: string) =>
    `(!${object}.metadata.name.startsWith('node-') || ${object}.metadata.name == 'node-' + variables.nodes[0])`;
  const written = `(${ofNode("object")} && (${own("object")} || ${givenBack}))`;
  const deleted = `(${ofNode("oldObject")} && (${own("oldObject")} || ${holder("oldObject")} == ''))`;
  return {
    expression: `${OF_NODE} && (object == null ? ${deleted} : ${written})`,
    messageExpression: `'an agent may hold Leases for its own node only; this token is of ' + ${TOKEN}`,
    reason: "Forbidden",
  };
}

function statusRules(): Validation[] {
  const same = (path: string, empty: string) => {
    const value = (object: string) => `(has(${object}.${path}) ? ${object}.${path} : ${empty})`;
    return `${value("object")} == ${value("oldObject")}`;
  };
  const unchanged = [
    ...["labels", "annotations"].map((field) => same(`metadata.${field}`, "{}")),
    ...["finalizers", "ownerReferences"].map((field) => same(`metadata.${field}`, "[]")),
    same("status.conditions", "[]"),
  ];
  const ingress =
    "(has(object.status.loadBalancer) && has(object.status.loadBalancer.ingress) ? object.status.loadBalancer.ingress : [])";
  const rule = (expression: string, message: string): Validation => ({ expression, message, reason: "Forbidden" });
  return [
    rule(OF_NODE, "only an agent whose token is of a node may write the status of a Service"),
    rule(
      `object.spec.type == 'LoadBalancer' && (!has(object.spec.loadBalancerClass) || object.spec.loadBalancerClass == '${LOAD_BALANCER_CLASS}')`,
      `an agent may write the status of Services of type LoadBalancer only, without a loadBalancerClass or with ${LOAD_BALANCER_CLASS}`,
    ),
    rule(unchanged.join(" && "), "an agent may write only status.loadBalancer of a Service"),
    rule(
      `${ingress}.all(one, has(one.ip) && !has(one.hostname))`,
      "an agent may write only addresses to status.loadBalancer.ingress",
    ),
  ];
}

/** Agents that encrypt may change one thing in their own Node: the annotation with their public key. */
export function keyAdmission(name: string, namespace: pulumi.Input<string>, opts: pulumi.ResourceOptions) {
  const rule = { apiGroups: [""], apiVersions: ["*"], operations: ["UPDATE"], resources: ["nodes"] };
  const others = (object: string) => `(has(${object}.metadata.annotations) ? ${object}.metadata.annotations : {})`;
  const kept = (from: string, to: string) =>
    `${others(from)}.all(key, key == '${PUBLIC_KEY}' || (key in ${others(to)} && ${others(to)}[key] == ${others(from)}[key]))`;
  const same = (path: string, empty: string) =>
    `(has(object.${path}) ? object.${path} : ${empty}) == (has(oldObject.${path}) ? oldObject.${path} : ${empty})`;
  const unchanged = [
    kept("object", "oldObject"),
    kept("oldObject", "object"),
    same("metadata.labels", "{}"),
    same("metadata.finalizers", "[]"),
    same("metadata.ownerReferences", "[]"),
    "object.spec == oldObject.spec",
  ];
  const validations: Validation[] = [
    {
      expression: `${OF_NODE} && object.metadata.name == variables.nodes[0]`,
      messageExpression: `'an agent may write its own Node only; this token is of ' + ${TOKEN}`,
      reason: "Forbidden",
    },
    {
      expression: unchanged.join(" && "),
      message: `an agent may write only the annotation ${PUBLIC_KEY} of its Node`,
      reason: "Forbidden",
    },
  ];
  return agentAdmission({ prefix: `${name}-encryption`, object: ENCRYPTION, namespace, rule, validations }, opts);
}

interface Admission {
  /** Part of the resources' names in the program. */
  readonly prefix: string;
  readonly object: string;
  readonly rule: Rule;
  /** When the policy applies; absent: always. */
  readonly condition?: k8s.types.input.admissionregistration.v1.MatchCondition;
  /** What validations refer to as `variables`. */
  readonly variables?: k8s.types.input.admissionregistration.v1.Variable[];
  readonly validations: Validation[];
  /** A kind whose objects are the policy's `params`, one after the other, so that each of them can refuse. `absent` is what happens to a
   * request if there is none. */
  readonly params?: { readonly apiVersion: string; readonly kind: string; readonly absent: "Allow" | "Deny" };
}

/** Limits what agents may write, in addition to their role. */
function agentAdmission(
  { namespace, ...rest }: Admission & { namespace: pulumi.Input<string> },
  opts: pulumi.ResourceOptions,
) {
  const user = pulumi.interpolate`system:serviceaccount:${namespace}:${AGENT}`;
  const condition = { name: "agents", expression: pulumi.interpolate`request.userInfo.username == '${user}'` };
  const nodes = `has(request.userInfo.extra) && '${NODE_CLAIM}' in request.userInfo.extra ? request.userInfo.extra['${NODE_CLAIM}'] : []`;
  return admission({ ...rest, condition, variables: [{ name: "nodes", expression: nodes }] }, opts);
}

/** What the API server asks of whoever writes these objects. */
export function admission(
  { prefix, object, condition, variables, rule, validations, params }: Admission,
  opts: pulumi.ResourceOptions,
): pulumi.Resource {
  const metadata = { name: object, labels: AGENT_LABELS };
  const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
    `${prefix}-validatingadmissionpolicy`,
    {
      metadata,
      spec: {
        failurePolicy: "Fail",
        ...(params && { paramKind: { apiVersion: params.apiVersion, kind: params.kind } }),
        matchConstraints: { resourceRules: [rule] },
        ...(condition && { matchConditions: [condition] }),
        ...(variables && { variables }),
        validations,
      },
    },
    opts,
  );
  return new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
    `${prefix}-validatingadmissionpolicybinding`,
    {
      metadata,
      spec: {
        policyName: policy.metadata.name,
        validationActions: ["Deny"],
        ...(params && { paramRef: { selector: {}, parameterNotFoundAction: params.absent } }),
      },
    },
    opts,
  );
}
