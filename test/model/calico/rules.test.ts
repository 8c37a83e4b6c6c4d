// Hand-written tables from Calico's documentation: what a rule matches.
import { expect, test } from "vitest";
import { podEntity } from "./entities.ts";
import type { EntityRule, Pod, Rule, World } from "./objects.ts";
import { selects } from "./selector.ts";
import { globalPolicy, policy, smallWorld, verdictOf } from "./small-world.ts";

const SETS: Partial<World> = {
  networkSets: [
    { metadata: { name: "near", namespace: "shop", labels: { zone: "near" } }, spec: { nets: ["172.31.1.0/24"] } },
  ],
  globalNetworkSets: [
    { metadata: { name: "far", labels: { zone: "far" } }, spec: { nets: ["172.31.0.0/16", "10.244.0.3/32"] } },
  ],
  endpointSlices: [
    {
      metadata: { name: "db-1", namespace: "shop", labels: { "kubernetes.io/service-name": "db" } },
      ports: [{ port: 5432, protocol: "TCP" }],
      endpoints: [{ addresses: ["10.244.0.2"] }],
    },
  ],
};

/** Who of web, db, job, other and the client may reach db's port 5432 if this is the source of the only rule. */
function sources(source: EntityRule, isGlobal = false): string {
  const spec = { selector: "app == 'db'", ingress: [{ action: "Allow" as const, source }] };
  const world = smallWorld({
    ...SETS,
    ...(isGlobal
      ? { globalNetworkPolicies: [globalPolicy("a", spec)] }
      : { calicoNetworkPolicies: [policy("a", spec)] }),
  });
  return ["web", "db", "job", "other", "client"]
    .filter((from) => verdictOf(world, `${from} -> db tcp/5432`) === "allow")
    .join(" ");
}

test.each<[EntityRule, string, string]>([
  // source, of a NetworkPolicy in shop, of a GlobalNetworkPolicy
  [{}, "web db job other client", "web db job other client"],
  [{ selector: "app == 'web'" }, "web", "web job"],
  [{ selector: "app == 'web'", namespaceSelector: "all()" }, "web job", "web job"],
  [{ selector: "app == 'web'", namespaceSelector: "team == 'b'" }, "job", "job"],
  [{ namespaceSelector: "projectcalico.org/name == 'lab'" }, "job other", "job other"],
  [{ namespaceSelector: "all()" }, "web db job other client", "web db job other client"], // the client is in the set near
  [{ namespaceSelector: "global()" }, "job client", "job client"], // both are in the global set far
  [{ selector: "zone == 'far'" }, "", "job client"],
  [{ selector: "zone == 'far'", namespaceSelector: "global()" }, "job client", "job client"],
  [{ selector: "zone == 'near'" }, "client", "client"],
  [{ selector: "all()" }, "web db client", "web db job other client"],
  [{ selector: "app != 'web'" }, "db client", "db job other client"], // job is in the set far, which has no app
  [{ selector: "!has(app)" }, "client", "job other client"],
  [{ notSelector: "app == 'web'" }, "db client", "db other client"],
  [{ selector: "has(app)", notSelector: "app == 'web'" }, "db", "db"],
  [{ nets: ["10.244.0.0/29"] }, "web db job other", "web db job other"],
  [{ nets: ["10.244.0.0/29"], notNets: ["10.244.0.2/31"] }, "web other", "web other"],
  [{ notNets: ["10.244.0.0/16"] }, "client", "client"],
  [{ nets: ["10.244.0.0/16"], selector: "app == 'web'" }, "web", "web job"],
  [{ serviceAccounts: { names: ["robot"] } }, "web", "web job"],
  [{ serviceAccounts: { selector: "role == 'api'" } }, "web", "web job"],
  [{ serviceAccounts: { names: ["default"], selector: "role == 'api'" } }, "", ""],
  [{ serviceAccounts: { names: ["robot"] }, namespaceSelector: "team == 'b'" }, "job", "job"],
  [{ services: { name: "db", namespace: "shop" } }, "db", "db"],
])("source %j", (source, namespaced, everywhere) => {
  expect([sources(source), sources(source, true)]).toEqual([namespaced, everywhere]);
});

test.each<[Partial<Rule>, string]>([
  [{ protocol: "TCP" }, "db -> web tcp/80|db -> web tcp/8080"],
  [{ notProtocol: "TCP" }, "db -> web udp/80|db -> web icmp/8|db -> web icmp/3.4|db -> web 47"],
  [{ protocol: 47 }, "db -> web 47"],
  [{ protocol: "UDP", destination: { ports: ["70:80"] } }, "db -> web udp/80"],
  [{ protocol: "TCP", destination: { ports: ["http"] } }, "db -> web tcp/8080"],
  [{ protocol: "TCP", destination: { notPorts: [80] } }, "db -> web tcp/8080"],
  [{ protocol: "TCP", destination: { ports: ["1:9000"], notPorts: ["http"] } }, "db -> web tcp/80"],
  [{ protocol: "UDP", destination: { ports: ["http"] } }, ""],
  [{ protocol: "TCP", source: { ports: [53] } }, "db:53 -> web tcp/80"],
  [{ protocol: "TCP", source: { notPorts: ["1:1023"] } }, "db -> web tcp/80|db -> web tcp/8080"],
  [{ protocol: "ICMP" }, "db -> web icmp/8|db -> web icmp/3.4"],
  [{ protocol: "ICMP", icmp: { type: 8 } }, "db -> web icmp/8"],
  [{ protocol: "ICMP", icmp: { type: 3, code: 1 } }, ""],
  [{ protocol: "ICMP", notICMP: { type: 3, code: 1 } }, "db -> web icmp/8|db -> web icmp/3.4"],
  [{ protocol: "ICMP", notICMP: { type: 3 } }, "db -> web icmp/8"],
  [{ ipVersion: 6 }, ""],
  [{ destination: { selector: "app == 'db'" } }, ""],
  [{ protocol: "TCP", destination: { nets: ["10.244.0.1/32"], ports: [80] } }, "db -> web tcp/80|db:53 -> web tcp/80"],
])("rule %j", (rule, allowed) => {
  const world = smallWorld({ calicoNetworkPolicies: [policy("a", { ingress: [{ action: "Allow", ...rule }] })] });
  const packets = ["tcp/80", "tcp/8080", "udp/80", "icmp/8", "icmp/3.4", "47"].map((what) => `db -> web ${what}`);
  const through = [...packets, "db:53 -> web tcp/80"].filter((packet) => verdictOf(world, packet) === "allow");
  const wanted = allowed.split("|").filter(Boolean);
  // A rule that does not ask about source ports treats the packet from port 53 like the other one.
  const asksSource = rule.source !== undefined;
  expect(through.filter((packet) => asksSource || !packet.includes(":53"))).toEqual(
    wanted.filter((packet) => asksSource || !packet.includes(":53")),
  );
});

test.each([
  ["app == 'web'", "web job"],
  ['app == "web" && has(job)', "job"],
  ["app == 'db' || job == 'yes'", "db job"],
  ["! has(app)", "other"],
  ["app in {'db', 'x'} || tier == 'front-end'", "web db"],
  ["app not in {'web'}", "db other"],
  ["app != 'web'", "db other"],
  ["tier contains 'end'", "web"],
  ["tier starts with 'front'", "web"],
  ["tier starts with 'end'", ""],
  ["tier ends with '-end'", "web"],
  ["!(app == 'web' && has(job)) && has(app)", "web db"],
  ["app == 'db' || app == 'web' && has(job)", "db job"],
  ["! has(app) || has(job) && !has(tier)", "job other"],
  ["all()", "web db job other"],
  ["", "web db job other"],
  ["pcns.team == 'a'", "web db"],
  ["projectcalico.org/namespace == 'lab'", "job other"],
])("selector %s", (selector, names) => {
  const world = smallWorld();
  const selected = world.pods.filter((pod: Pod) => selects(selector, podEntity(world, pod).labels));
  expect(selected.map(({ metadata }) => metadata.name).join(" ")).toBe(names);
});
