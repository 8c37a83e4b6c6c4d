import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCidr } from "../../../model/address/address.ts";
import type { End, Flow } from "./flow.ts";
import { EVERYTHING, type FilterFacts, type FlowFilter, isWanted, parseTerm } from "./flow-filter.ts";
import { queryOptions, queryParameters, readQuery } from "./flow-query.ts";
import { FlowSelection } from "./flow-selection.ts";

const client: End = { address: "172.31.1.55", port: 40_001 };
const web: End = { address: "10.244.0.2", port: 80, name: "pod shop/web-6d4cf56db6-x7k2p", workload: "web" };
const database: End = { address: "10.244.1.3", port: 5432, name: "pod db/pg-0", workload: "pg" };
const entry: End = { address: "172.31.1.8", port: 30_604, name: "service shop/web:http" };
const at = { time: "2026-01-02T03:04:05.678Z", node: "node", protocol: "TCP" } as const;
const fromOutside: Flow = { ...at, verdict: "opened", client, to: entry, service: "shop/web:http", backend: web };
const inside: Flow = { ...at, verdict: "opened", client: { ...web, port: 40_002 }, to: database };
const socket: Flow = {
  ...{ ...at, verdict: "opened", socket: true, service: "db/pg", backend: database },
  to: { address: "10.96.0.9", port: 5432, name: "service db/pg" },
};
const refused: Flow = {
  ...{ ...inside, verdict: "dropped", reason: "drop_policy_ingress" },
  rule: "no rule of NetworkPolicy db/pg, Calico NetworkPolicy db/more allows it (end of tier default)",
};
const dns: Flow = { ...inside, protocol: "UDP", to: { address: "172.31.1.1", port: 53 } };
const flows = [fromOutside, inside, socket, refused, dns, { ...dns, verdict: "dropped" }] as const;
const facts: FilterFacts = {
  endpoints: (service) => new Set(service === "db/pg" ? ["10.244.1.3 5432 TCP"] : []),
};
const wanted = (query: Parameters<typeof queryParameters>[0], flow: Flow, more: Partial<FilterFacts> = {}) =>
  isWanted(flow, readQuery(queryParameters(query)), { ...facts, ...more });

const term = fc.constantFrom(
  ...[
    "pod/shop/web",
    "pod/shop/web-6d4cf56db6-x7k2p",
    "pod/db/pg-0",
    "service/shop/web",
    "service/db/pg",
    "namespace/db",
  ],
  ...["namespace/shop", "node/master", "172.31.1.55", "10.244.0.0/16", "0.0.0.0/0", "fd00::/8"],
);
const terms = fc.array(term, { minLength: 1, maxLength: 3 });
const service = fc.array(fc.constantFrom("service/shop/web", "service/db/pg", "service/a/b"), { minLength: 1 });
const namespace = fc.array(fc.constantFrom("shop", "db", "none"), { minLength: 1 });
const policy = fc.array(fc.constantFrom("db/pg", "db/more", "pg", "db/p"), { minLength: 1 });
const parts = {
  ...{ from: terms, to: terms, service, namespace, policy },
  ...{ refused: fc.constant(true), dns: fc.constant(false) },
};
const query = fc.record(parts, { requiredKeys: [] });
const flow = fc.constantFrom<Flow>(...flows);

describe("a filter", () => {
  test("lets through what each of its parts lets through, and everything without any", () => {
    fc.assert(
      fc.property(query, flow, (asked, one) => {
        expect(isWanted(one, EVERYTHING, facts)).toBe(true);
        const alone = Object.entries(asked).map(([name, value]) => wanted({ [name]: value }, one));
        expect(wanted(asked, one)).toBe(alone.every(Boolean));
      }),
    );
  });

  test.each(["from", "to", "service", "namespace", "policy"] as const)(
    "takes the words of %s as alternatives",
    (name) => {
      fc.assert(
        fc.property(parts[name], flow, (words, one) => {
          expect(wanted({ [name]: words }, one)).toBe(words.some((word) => wanted({ [name]: [word] }, one)));
        }),
      );
    },
  );

  test("is the same as options of a command and as the query of a request", () => {
    fc.assert(
      fc.property(query, (asked) => {
        const options = queryOptions(asked);
        const lists = ["from", "to", "service", "namespace", "policy"] as const;
        const found = lists.map((name) =>
          options.flatMap((word, index) => (options[index - 1] === `--${name}` ? [word] : [])),
        );
        const [from, to, services, namespaces, policies] = found;
        const filter: FlowFilter = {
          ...{
            from: from?.map(parseTerm) ?? [],
            to: to?.map(parseTerm) ?? [],
            services: services?.map(parseTerm) ?? [],
          },
          ...{ namespaces: namespaces ?? [], policies: policies ?? [] },
          ...{ refused: options.includes("--refused"), dns: !options.includes("--no-dns") },
        };
        expect(readQuery(queryParameters(asked))).toEqual(filter);
      }),
    );
  });

  test.each<[string, string[], boolean]>([
    ["from", ["pod/shop/web"], true],
    ["from", ["pod/shop/we"], false],
    ["from", ["node/shop"], false],
    ["from", ["10.244.0.0/24"], true],
    ["from", ["fd00::/8"], false],
    ["to", ["pod/db/pg"], true],
    ["to", ["pod/db/pg-0"], true],
    ["to", ["namespace/db"], true],
    ["to", ["namespace/d"], false],
    ["to", ["service/db/pg"], true],
    ["service", ["service/db/pg"], true],
    ["service", ["service/shop/web"], false],
    ["namespace", ["shop"], true],
  ])("%s %j of a pod that went straight to a pod of a Service: %s", (name, words, expected) => {
    expect(wanted({ [name]: words }, inside)).toBe(expected);
  });

  test("by Service knows its name however the port is called, and by an end all of its addresses", () => {
    expect(wanted({ service: ["service/shop/web"] }, fromOutside)).toBe(true);
    for (const to of ["172.31.1.8", "10.244.0.2", "pod/shop/web", "service/shop/web", "namespace/shop"])
      expect(wanted({ to: [to] }, fromOutside)).toBe(true);
    expect(wanted({ from: ["172.31.1.0/24"] }, socket)).toBe(false);
  });

  test("by policy knows every policy that a refusal is about, also those that its text leaves out", () => {
    for (const name of ["db/pg", "db/more"]) expect(wanted({ policy: [name] }, refused)).toBe(true);
    for (const name of ["db/p", "pg", "default", "db/others"]) expect(wanted({ policy: [name] }, refused)).toBe(false);
    expect(wanted({ policy: ["db/others"] }, refused, { policyNames: "NetworkPolicy db/others" })).toBe(true);
    const rule = "tier security, GlobalNetworkPolicy deny-db, ingress rule 2";
    expect(wanted({ policy: ["deny-db"] }, { ...refused, rule })).toBe(true);
    expect(wanted({ policy: ["security"] }, { ...refused, rule })).toBe(false);
    const staged = { verdict: "denied", reason: "no rule of NetworkPolicy db/next allows it" } as const;
    expect(wanted({ policy: ["db/next"] }, { ...inside, staged })).toBe(true);
  });

  test("without DNS hides what asks a server, and shows what is refused, and other protocols' numbers", () => {
    expect(wanted({ dns: false }, dns)).toBe(false);
    expect(wanted({ dns: false }, { ...dns, verdict: "dropped" })).toBe(true);
    expect(wanted({ dns: false }, { ...dns, protocol: "ICMP" })).toBe(true);
    expect(wanted({ dns: false }, { ...inside, backend: { ...database, port: 53 } })).toBe(false);
  });
});

test.each([
  ["from=shop", '"shop" names no end of a flow; allowed: pod/NAMESPACE/NAME'],
  ["from=pod/shop", "names no end of a flow"],
  ["to=10.0.0.0/33", "names no end of a flow"],
  ["to=pod/a/b%0Ac", "is not a name"],
  ["service=pod/a/b", "is no Service; allowed: service/NAMESPACE/NAME"],
  ["form=10.0.0.1", '"form=10.0.0.1" selects no flows; allowed: from, to'],
  ["refused=no", "selects no flows"],
  [Array(101).fill("from=10.0.0.1").join("&"), "from has 101 alternatives; allowed: at most 100"],
])("the query %.40s is refused", (text, message) => {
  expect(() => readQuery(new URLSearchParams(text))).toThrow(message);
});

test("an address is a block of one", () => {
  expect(parseTerm("172.31.1.55")).toEqual({ kind: "block", cidr: parseCidr("172.31.1.55/32") });
});

describe("the selection of a node's flows", () => {
  const from = (text: string) => new FlowSelection(readQuery(new URLSearchParams({ from: text })), facts);

  test("tells of a socket when its packets turn out to be wanted, once", () => {
    const selection = from("pod/shop/web");
    expect(selection.take(socket)).toEqual([]);
    expect(selection.take(inside)).toEqual([socket, inside]);
    expect(selection.take(inside)).toEqual([inside]);
  });

  test("keeps no socket that asks for what the filter does not name, whoever it is: none crowds out another", () => {
    const query = { from: "pod/shop/web", to: "service/db/pg" };
    const selection = new FlowSelection(readQuery(new URLSearchParams(query)), facts);
    const elsewhere = { ...socket, service: "db/other", to: { ...socket.to, name: "service db/other" } };
    selection.take(socket);
    for (let count = 0; count < 256; count++) selection.take({ ...elsewhere, backend: web });
    expect(selection.take(inside)).toEqual([socket, inside]);
    selection.take(elsewhere);
    expect(selection.take(inside)).toEqual([inside]);
  });

  test("does not tell of a socket whose packets are another's, and keeps only some", () => {
    const selection = from("pod/shop/web");
    selection.take(socket);
    expect(selection.take({ ...inside, client })).toEqual([]);
    const other = { ...socket, backend: { address: "10.244.1.9", port: 1 } };
    for (let count = 0; count < 256; count++) selection.take(other);
    expect(selection.take(inside)).toEqual([inside]);
  });
});
