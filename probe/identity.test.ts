import { describe, expect, it } from "vitest";
import { type IdentitySources, podIdentity } from "./identity.ts";

const account = "/var/run/secrets/kubernetes.io/serviceaccount";
const token = `e30.${Buffer.from(
  JSON.stringify({ "kubernetes.io": { namespace: "shop", pod: { name: "web-0" } } }),
).toString("base64url")}.sig`;

function sources(files: Record<string, string>, env: IdentitySources["env"] = {}): IdentitySources {
  return { env, read: (path) => files[path], hostname: "node-7" };
}

describe("podIdentity", () => {
  it("prefers the manifest's value", () => {
    expect(podIdentity(sources({ [`${account}/token`]: token }, { POD_NAMESPACE: "a", POD_NAME: "b" }))).toBe("a/b");
  });
  it("reads namespace and name from the token, where a host-network pod's host name is the node's", () => {
    expect(podIdentity(sources({ [`${account}/token`]: token }))).toBe("shop/web-0");
  });
  it("falls back to the mounted namespace and the host name", () => {
    expect(podIdentity(sources({ [`${account}/namespace`]: "shop\n", [`${account}/token`]: "broken" }))).toBe(
      "shop/node-7",
    );
  });
  it("reads the namespace from the search domains when no token is mounted", () => {
    const resolv = "nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local\n";
    expect(podIdentity(sources({ "/etc/resolv.conf": resolv }))).toBe("shop/node-7");
  });
  it("reports unknown rather than guessing", () => {
    expect(podIdentity(sources({}))).toBe("unknown/node-7");
  });
});
