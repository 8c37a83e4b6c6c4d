import { describe, expect, test } from "vitest";
import { networkSet } from "../objects/calico-policy/network-set.ts";
import type { PolicyObjects } from "./policy-objects.ts";
import { allow, deny, END, GLOBAL_END, global, ingress, said } from "./small-cluster.fixture.ts";

describe("network sets", () => {
  const sets = {
    networkSets: [
      networkSet.parse({
        metadata: { namespace: "lab", name: "partners", labels: { kind: "partner" } },
        spec: { nets: ["20.0.0.0/8"] },
      }),
    ],
    globalNetworkSets: [
      networkSet.parse({
        metadata: { name: "bad", labels: { kind: "bad" } },
        spec: { nets: ["20.1.0.0/16", "10.244.0.2/32"] },
      }),
      networkSet.parse({ metadata: { name: "host", labels: { kind: "host" } }, spec: { nets: ["20.2.2.2"] } }),
    ],
  };
  test.each<[string, Partial<PolicyObjects>, string, string]>([
    ["by label", global(allow({ source: { selector: "kind == 'partner'" } })), "20.5.5.5 -> web tcp/80", "allow"],
    ["outside", global(allow({ source: { selector: "kind == 'partner'" } })), "21.5.5.5 -> web tcp/80", GLOBAL_END],
    ["of a namespace", ingress(allow({ source: { selector: "kind == 'partner'" } })), "20.5.5.5 -> web tcp/80", END],
    [
      "by the labels of the namespace",
      ingress(allow({ source: { selector: "kind == 'partner'", namespaceSelector: "team == 'b'" } })),
      "20.5.5.5 -> web tcp/80",
      "allow",
    ],
    [
      "a set inside another",
      global(deny({ source: { selector: "kind == 'bad'" } }), allow()),
      "20.1.1.1 -> web tcp/80",
      "deny: tier default, GlobalNetworkPolicy g, ingress rule 1",
    ],
    ["of both", global(allow({ source: { selector: "kind == 'partner'" } })), "20.1.1.1 -> web tcp/80", "allow"],
    ["a single address", global(allow({ source: { selector: "kind == 'host'" } })), "20.2.2.2 -> web tcp/80", "allow"],
    [
      "a pod inside",
      global(deny({ source: { selector: "kind == 'bad'" } }), allow()),
      "db -> web tcp/80",
      "deny: tier default, GlobalNetworkPolicy g, ingress rule 1",
    ],
    ["global()", global(allow({ source: { namespaceSelector: "global()" } })), "20.1.1.1 -> web tcp/80", "allow"],
    [
      "global() is no pod",
      global(allow({ source: { namespaceSelector: "global()" } })),
      "job -> web tcp/80",
      GLOBAL_END,
    ],
  ])("%s", (_, objects, packet, wanted) => expect(said({ ...sets, ...objects }, packet)).toBe(wanted));
});
