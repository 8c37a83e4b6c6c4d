import { isRefusal } from "./errors.ts";
import { findObject } from "./get.ts";
import type { Api } from "./transport.ts";

export interface Binding {
  subjects?: { kind?: string; namespace?: string }[] | null;
}

/**
 * The namespace of the ServiceAccount that has this ClusterRoleBinding. Labels of pods prove nothing, since every tenant can write them; who may write a
 * ClusterRoleBinding is an administrator.
 * @returns undefined where there is no such binding, or where it may not be read
 */
export async function subjectNamespace(api: Api, binding: string): Promise<string | undefined> {
  const path = `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${binding}`;
  const found = await findObject<Binding>(api, path).catch((error: unknown) => {
    if (isRefusal(error, 403)) return undefined;
    throw error;
  });
  return namespaceIn(found);
}

/** The same of a binding that is read already. */
export function namespaceIn(binding: Binding | undefined): string | undefined {
  return binding?.subjects?.find(({ kind }) => kind === "ServiceAccount")?.namespace;
}
