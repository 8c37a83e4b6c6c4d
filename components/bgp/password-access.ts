import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { AGENT, AGENT_LABELS } from "../dataplane/names.ts";
import type { BgpPassword } from "./args.ts";

/** Lets agents read the Secret of a password, and no other. @param owner the object that names it */
export function passwordAccess(
  name: string,
  owner: string,
  password: BgpPassword | undefined,
  namespace: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): void {
  if (!password) return;
  const metadata = { name: `${AGENT}-${owner}`, namespace, labels: AGENT_LABELS };
  const role = new k8s.rbac.v1.Role(
    `${name}-password-role`,
    {
      metadata,
      rules: [
        {
          apiGroups: [""],
          resources: ["secrets"],
          resourceNames: [password.secretKeyRef.name],
          verbs: ["list", "watch"],
        },
      ],
    },
    opts,
  );
  new k8s.rbac.v1.RoleBinding(
    `${name}-password-rolebinding`,
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name: AGENT, namespace }],
    },
    opts,
  );
}
