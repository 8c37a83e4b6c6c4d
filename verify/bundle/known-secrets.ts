import type { Kubeconfig } from "../../kubernetes/kubeconfig.ts";

/** The credentials of a kubeconfig, so that they can be recognized wherever they appear. */
export function knownSecrets({ library }: Pick<Kubeconfig, "library">): string[] {
  return library
    .getUsers()
    .flatMap(({ token, password, keyData, certData }) => [token, password, keyData, certData])
    .flatMap((secret) => secret || []);
}
