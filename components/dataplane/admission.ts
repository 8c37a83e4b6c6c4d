import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { AGENT, AGENT_LABELS } from "./names.ts";

/** What the API server adds to the user of a token that was made for a pod: the node that runs the pod (KEP-4193). */
const NODE_CLAIM = "authentication.kubernetes.io/node-name";

/**
 * An agent's token makes, changes and deletes IPAMBlocks of its own node only. All agents share one ServiceAccount, so without
 * this the token of one node that was broken into could take the addresses of every pod.
 */
export function blockAdmission(name: string, namespace: string, opts: pulumi.ResourceOptions) {
  const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
    `${name}-validatingadmissionpolicy`,
    {
      metadata: { name: AGENT, labels: AGENT_LABELS },
      spec: {
        failurePolicy: "Fail",
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: ["ebpf-dataplane.io"],
              apiVersions: ["*"],
              operations: ["CREATE", "UPDATE", "DELETE"],
              resources: ["ipamblocks"],
            },
          ],
        },
        matchConditions: [
          { name: "agents", expression: `request.userInfo.username == 'system:serviceaccount:${namespace}:${AGENT}'` },
        ],
        variables: [
          {
            name: "nodes",
            expression: `has(request.userInfo.extra) && '${NODE_CLAIM}' in request.userInfo.extra ? request.userInfo.extra['${NODE_CLAIM}'] : []`,
          },
        ],
        validations: ["object", "oldObject"].map((object) => ({
          expression: `${object} == null || (size(variables.nodes) == 1 && ${object}.spec.node == variables.nodes[0])`,
          messageExpression: `'an agent may write IPAMBlocks of its own node only; this token is of ' + (size(variables.nodes) == 1 ? 'node ' + variables.nodes[0] : 'no node')`,
          reason: "Forbidden",
        })),
      },
    },
    opts,
  );
  return new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
    `${name}-validatingadmissionpolicybinding`,
    {
      metadata: { name: AGENT, labels: AGENT_LABELS },
      spec: { policyName: policy.metadata.name, validationActions: ["Deny"] },
    },
    opts,
  );
}
