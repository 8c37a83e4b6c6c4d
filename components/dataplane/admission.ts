import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { LOAD_BALANCER_CLASS } from "../../model/service/balancer/class.ts";
import { AGENT, AGENT_LABELS, BALANCER } from "./names.ts";

/** What the API server adds to the user of a token that was made for a pod: the node that runs the pod (KEP-4193). */
const NODE_CLAIM = "authentication.kubernetes.io/node-name";
const OF_NODE = "size(variables.nodes) == 1";
const TOKEN = `(${OF_NODE} ? 'node ' + variables.nodes[0] : 'no node')`;

type Rule = k8s.types.input.admissionregistration.v1.NamedRuleWithOperations;
type Validation = k8s.types.input.admissionregistration.v1.Validation;

/**
 * An agent's token makes, changes and deletes IPAMBlocks of its own node only. All agents share one ServiceAccount, so without
 * this the token of one node that was broken into could take the addresses of every pod.
 */
export function blockAdmission(name: string, namespace: string, opts: pulumi.ResourceOptions) {
  const rule = {
    apiGroups: ["ebpf-dataplane.io"],
    apiVersions: ["*"],
    operations: ["CREATE", "UPDATE", "DELETE"],
    resources: ["ipamblocks"],
  };
  const validations = ["object", "oldObject"].map((object) => ({
    expression: `${object} == null || (${OF_NODE} && ${object}.spec.node == variables.nodes[0])`,
    messageExpression: `'an agent may write IPAMBlocks of its own node only; this token is of ' + ${TOKEN}`,
    reason: "Forbidden",
  }));
  return agentAdmission({ prefix: name, object: AGENT, namespace, rule, validations }, opts);
}

/** Of agents that are the load balancer. A holder of a Lease is the agent's own node, only an own Lease or one without a holder is deleted, and of a Service's status only the addresses of a
 * load balancer that is this dataplane are written. Which addresses are served is for the pools to say (frontend-rules.ts). */
export function balancerAdmission(name: string, namespace: string, opts: pulumi.ResourceOptions) {
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

interface Admission {
  /** Of the resources' names in the program. */
  readonly prefix: string;
  readonly object: string;
  readonly namespace: string;
  readonly rule: Rule;
  readonly validations: Validation[];
}

/** What agents may write, beyond what their role says. */
function agentAdmission(
  { prefix, object, namespace, rule, validations }: Admission,
  opts: pulumi.ResourceOptions,
): pulumi.Resource {
  const metadata = { name: object, labels: AGENT_LABELS };
  const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
    `${prefix}-validatingadmissionpolicy`,
    {
      metadata,
      spec: {
        failurePolicy: "Fail",
        matchConstraints: { resourceRules: [rule] },
        matchConditions: [
          { name: "agents", expression: `request.userInfo.username == 'system:serviceaccount:${namespace}:${AGENT}'` },
        ],
        variables: [
          {
            name: "nodes",
            expression: `has(request.userInfo.extra) && '${NODE_CLAIM}' in request.userInfo.extra ? request.userInfo.extra['${NODE_CLAIM}'] : []`,
          },
        ],
        validations,
      },
    },
    opts,
  );
  return new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
    `${prefix}-validatingadmissionpolicybinding`,
    { metadata, spec: { policyName: policy.metadata.name, validationActions: ["Deny"] } },
    opts,
  );
}
