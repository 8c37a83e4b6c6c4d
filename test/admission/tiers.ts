// Who may write Calico's NetworkPolicies of a tier: two users who may write NetworkPolicies in every namespace, one of them with the rights of one tier.
import { expect } from "vitest";
import { until } from "../datapath/cluster/until.ts";

type Kubectl<Answer> = (words: string[], input?: string) => Promise<Answer>;

/** @param done as an administrator, and fails where it is refused */
export async function asksForTiers(
  done: Kubectl<string>,
  kubectl: Kubectl<{ status: number | null; stderr: string }>,
): Promise<void> {
  const group = "projectcalico.org";
  const named = (kind: string, name: string, namespace?: string) => ({
    ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind },
    metadata: { name, ...(namespace && { namespace }) },
  });
  const grants = async (name: string, user: string, ...rules: object[]) => {
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
    const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }];
    for (const object of [
      { ...named("ClusterRole", name), rules },
      { ...named("ClusterRoleBinding", name), roleRef, subjects },
    ])
      await done(["create", "-f", "-"], JSON.stringify(object));
  };
  const verbs = ["get", "create", "update", "patch", "delete"];
  for (const user of ["owner", "guard"])
    await grants(`policies-of-${user}`, user, { apiGroups: [group], resources: ["networkpolicies"], verbs });
  await grants(
    "tier-security",
    "guard",
    { apiGroups: [group], resources: ["tiers"], resourceNames: ["security"], verbs: ["get"] },
    { apiGroups: [group], resources: ["tier.networkpolicies"], resourceNames: ["security.*"], verbs },
  );
  const policy = (tier: string | undefined, name: string) =>
    JSON.stringify({
      ...{ apiVersion: `${group}/v3`, kind: "NetworkPolicy", metadata: { name, namespace: "default" } },
      spec: { selector: "all()", order: -1e308, ingress: [{ action: "Allow" }], ...(tier && { tier }) },
    });
  const by = async (user: string, words: string[], input?: string) => {
    const { status, stderr } = await kubectl([`--as=${user}`, ...words], input);
    return status === 0 ? "done" : stderr;
  };
  const creates = (user: string, ...of: Parameters<typeof policy>) => by(user, ["create", "-f", "-"], policy(...of));
  const removes = (user: string, name: string) => by(user, ["delete", `networkpolicies.${group}`, name]);
  const refused = "needs the rights to get tiers/security and to";
  const trying = () => by("owner", ["create", "--dry-run=server", "-f", "-"], policy("security", "security.a"));
  await until("the admission policy about tiers", async () => (await trying()).includes(refused));
  const allowed = () => by("guard", ["create", "--dry-run=server", "-f", "-"], policy("security", "security.a"));
  await until("the rights of the tier", async () => (await allowed()) === "done");
  expect(await creates("owner", "security", "security.a")).toContain(`${refused} create tier.networkpolicies`);
  expect(await creates("owner", undefined, "a")).toBe("done");
  expect(await creates("owner", "default", "b")).toBe("done");
  expect(await creates("guard", "security", "security.a")).toBe("done");
  expect(await creates("guard", "platform", "platform.a")).toContain("tiers/platform");
  // It neither takes it away, nor out of its tier, nor its own one into it.
  expect(await removes("owner", "security.a")).toContain(`${refused} delete`);
  const patched = (name: string, tier: string) =>
    by("owner", ["patch", `networkpolicies.${group}`, name, "--type=merge", "-p", JSON.stringify({ spec: { tier } })]);
  expect(await patched("security.a", "default")).toContain(`${refused} update`);
  expect(await patched("a", "security")).toContain(`${refused} update`);
  expect([await removes("owner", "a"), await removes("guard", "security.a")]).toEqual(["done", "done"]);
  expect(await creates("owner", "", "c")).toBe("done");
}
