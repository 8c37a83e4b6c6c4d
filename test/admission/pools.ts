// Which IPPools can be deleted: while agents have their rights, those of which no node has a block.
import { expect } from "vitest";
import type { KubernetesObject } from "../../measure/testbed/kubernetes-objects.ts";
import { until } from "../datapath/cluster/until.ts";

type Kubectl<Answer> = (words: string[], input?: string) => Promise<Answer>;
type Attempt = Kubectl<{ status: number | null; stderr: string }>;

function pool(name: string, cidr: string): KubernetesObject {
  return { apiVersion: "projectcalico.org/v3", kind: "IPPool", metadata: { name }, spec: { cidr } };
}
function block(name: string, cidr: string, pool: string): KubernetesObject {
  const spec = { cidr, node: "two", pool };
  return { apiVersion: "ebpf-dataplane.io/v1alpha1", kind: "IPAMBlock", metadata: { name }, spec };
}
const SAYS = "node two has its block 10.9.0.0/26. Next: set spec.disabled";

/** Makes the pool "used" with a block, and waits until the API server refuses its deletion. */
async function used(done: Kubectl<string>, deletes: (...words: string[]) => ReturnType<Attempt>): Promise<void> {
  for (const object of [pool("used", "10.9.0.0/16"), block("of-pool", "10.9.0.0/26", "used")])
    await done(["create", "-f", "-"], JSON.stringify(object));
  await until("the API server to know the block", async () =>
    (await deletes("used", "--dry-run=server")).stderr.includes(SAYS),
  );
}

/** @param done as an administrator, and fails where it is refused */
export async function keepsPoolsInUse(done: Kubectl<string>, kubectl: Attempt): Promise<void> {
  const deletes = (...words: string[]) => kubectl(["delete", "ippool", ...words]);
  await used(done, deletes);
  await done(["create", "-f", "-"], JSON.stringify(pool("unused", "10.8.0.0/16")));
  expect((await deletes("used")).stderr).toContain(SAYS);
  expect((await deletes("unused")).stderr).toBe("");
  await done(["delete", "ipamblock", "of-pool"]);
  await until("the API server to know that it is gone", async () => (await deletes("used")).status === 0);
}

/**
 * As in a destroy, which leaves blocks: rights go before pools, and the policy may be in force for a moment longer. Here it stays.
 * @param others bindings of this test that give agents more rights than the component does
 */
export async function letsPoolsGoWithTheRights(
  done: Kubectl<string>,
  kubectl: Attempt,
  others: readonly KubernetesObject[],
): Promise<void> {
  const deletes = (...words: string[]) => kubectl(["delete", "ippool", ...words]);
  await used(done, deletes);
  for (const { metadata } of others) await done(["delete", "clusterrolebinding", metadata.name]);
  expect((await deletes("used")).stderr, "agents have what the component gives them").toContain(SAYS);
  const own = ["clusterrolebinding", "ebpf-dataplane"];
  const { kind, apiVersion, metadata, roleRef, subjects } = JSON.parse(await done(["get", ...own, "-o", "json"]));
  await done(["delete", ...own]);
  await until("the API server to let the pool go", async () => (await deletes("used")).status === 0);
  expect(await done(["get", "validatingadmissionpolicybindings", "-o", "name"])).toContain("/ebpf-dataplane-pools\n");
  await done(["delete", "ipamblock", "of-pool"]);
  const { name, labels } = metadata;
  for (const object of [{ kind, apiVersion, metadata: { name, labels }, roleRef, subjects }, ...others])
    await done(["create", "-f", "-"], JSON.stringify(object));
}
