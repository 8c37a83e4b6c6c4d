import { describe, expect, test } from "vitest";
import { type Name, refusals, specOf } from "./refusals.fixture.ts";

const inRule = (rule: object, kind: Name = "calicoNetworkPolicies", direction = "ingress") =>
  refusals(kind, { [direction]: [{ action: "Allow", ...rule }] }).map((text) =>
    text.replace(`spec.${direction}.0.`, ""),
  );

describe("rules", () => {
  const tcp = { protocol: "TCP" };
  test.each<[string, object, string[]]>([
    [
      "everything that may stand together",
      {
        ...tcp,
        ipVersion: 4,
        notProtocol: 17,
        metadata: { annotations: { a: "b" } },
        source: {
          nets: ["10.0.0.0/8"],
          notNets: ["10.1.0.0/16"],
          selector: "a == 'b'",
          notSelector: "has(c)",
          namespaceSelector: "all()",
          serviceAccounts: { names: ["x"], selector: "d == 'e'" },
          ports: [1, "2", "3:4", "name"],
          notPorts: [65535],
        },
        destination: { ports: ["http"], notPorts: ["https"] },
      },
      [],
    ],
    ["nulls", { protocol: null, source: null, destination: { nets: null, ports: null, services: null } }, []],
    ["an unknown field", { sauce: {} }, ['sauce: Unrecognized key: "sauce"']],
    ["an unknown field of a side", { source: { domains: ["a"] } }, ['source.domains: Unrecognized key: "domains"']],
    ["HTTP", { http: { methods: ["GET"] } }, ["http: not supported: the dataplane does not read HTTP"]],
    ["an action", { action: "allow" }, ["action: allowed are Allow, Deny, Log, Pass"]],
    [
      "a protocol's name in small letters",
      { protocol: "tcp" },
      ["protocol: did you mean TCP? allowed are TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite and numbers from 1 to 255"],
    ],
    [
      "protocol 0",
      { protocol: 0 },
      ["protocol: allowed are TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite and numbers from 1 to 255"],
    ],
    [
      "protocol 256",
      { notProtocol: 256 },
      ["notProtocol: allowed are TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite and numbers from 1 to 255"],
    ],
    [
      "port 0",
      { ...tcp, destination: { ports: [0] } },
      ['destination.ports.0: allowed are a port from 1 to 65535, a range like "8000:8100", or the name of a port'],
    ],
    [
      "a range backwards",
      { ...tcp, destination: { ports: ["2:1"] } },
      ['destination.ports.0: allowed are a port from 1 to 65535, a range like "8000:8100", or the name of a port'],
    ],
    [
      "a range of another kind",
      { ...tcp, destination: { ports: ["1-2 "] } },
      ['destination.ports.0: allowed are a port from 1 to 65535, a range like "8000:8100", or the name of a port'],
    ],
    [
      "51 ports",
      { ...tcp, destination: { ports: Array.from({ length: 51 }, (_, index) => index + 1) } },
      ["destination.ports: allowed are 50 ports and ranges"],
    ],
    [
      "ports without a protocol",
      { source: { ports: [80] }, destination: { notPorts: ["1:2"] } },
      [
        "source.ports: needs protocol TCP, UDP or SCTP: other protocols have no ports",
        "destination.notPorts: needs protocol TCP, UDP or SCTP: other protocols have no ports",
      ],
    ],
    ["named ports without a protocol", { destination: { ports: ["http"] } }, []],
    [
      "ports of ICMP",
      { protocol: "ICMP", destination: { ports: ["http"] } },
      ["destination.ports: needs protocol TCP, UDP or SCTP: other protocols have no ports"],
    ],
    [
      "ports of UDPLite",
      { protocol: 136, destination: { ports: [80] } },
      ["destination.ports: needs protocol TCP, UDP or SCTP: other protocols have no ports"],
    ],
    ["ICMP types", { protocol: "ICMPv6", icmp: { type: 254, code: 255 }, notICMP: { type: 0 } }, []],
    ["ICMP of another protocol", { ...tcp, icmp: { type: 8 } }, ["icmp: needs protocol ICMP or ICMPv6"]],
    ["ICMP without a protocol", { notICMP: { type: 8 } }, ["notICMP: needs protocol ICMP or ICMPv6"]],
    ["a code without type", { protocol: 1, icmp: { code: 0 } }, ["icmp.code: needs a type beside it"]],
    ["an ICMP type of 255", { protocol: 1, icmp: { type: 255 } }, ["icmp.type: allowed are numbers from 0 to 254"]],
    ["ICMP of IPv6", { protocol: "ICMP", ipVersion: 6 }, ["protocol: ICMP is of ipVersion 4 only"]],
    ["no ICMPv6 of IPv4", { notProtocol: 58, ipVersion: 4 }, ["notProtocol: ICMPv6 is of ipVersion 6 only"]],
    ["ipVersion 5", { ipVersion: 5 }, ["ipVersion: allowed are 4 and 6"]],
    [
      "a network of the other version",
      { ipVersion: 4, source: { nets: ["fd00::/8"] } },
      ["source.nets.0: is of IPv6, but ipVersion of IPv4: a rule is about one address family"],
    ],
    [
      "networks of both families",
      { source: { nets: ["10.0.0.0/8"] }, destination: { notNets: ["fd00::/8"] } },
      ["destination.notNets.0: is of IPv6, but the networks before it of IPv4: a rule is about one address family"],
    ],
    [
      "host bits",
      { source: { nets: ["10.0.0.1/8"] } },
      ['source.nets.0: "10.0.0.1/8" has host bits; did you mean 10.0.0.0/8?'],
    ],
    [
      "addresses of both families",
      { source: { nets: ["10.0.0.1", "fd00::1"] } },
      ["source.nets.1: is of IPv6, but the networks before it of IPv4: a rule is about one address family"],
    ],
    [
      "everything excluded",
      { source: { notNets: ["0.0.0.0/0"] } },
      ["source.notNets.0: excludes every address, so the rule matches nothing"],
    ],
    [
      "a network twice",
      { source: { nets: ["10.0.0.0/8", "10.0.0.0/8"] } },
      ["source.nets.1: stands in the list already"],
    ],
    [
      "a selector that cannot be read",
      { source: { selector: "a = 'b'" } },
      [
        "source.selector: column 3: expected an operator after a label: ==, !=, contains, starts with, ends with, not in, in; did you mean ==?",
      ],
    ],
    ["global() of namespaces", { source: { namespaceSelector: " global()" } }, []],
    [
      "global() beside another",
      { source: { namespaceSelector: "global() || has(a)" } },
      ["source.namespaceSelector: global() stands alone: it cannot be combined with other selectors"],
    ],
    [
      "global() elsewhere",
      { source: { selector: "global()", notSelector: "!global()" } },
      [
        "source.selector: global() is allowed only in namespaceSelector of a rule's source or destination",
        "source.notSelector: global() is allowed only in namespaceSelector of a rule's source or destination",
      ],
    ],
    [
      "a selector of 1,025 characters",
      { source: { selector: `a == '${"x".repeat(1_018)}'` } },
      ["source.selector: a selector of 1025 characters; allowed are 1024"],
    ],
    ["a service", { source: { services: { name: "db" } } }, []],
    [
      "a service of the own side",
      { destination: { services: { name: "db" } } },
      ["destination.services: allowed in source of ingress rules only"],
    ],
    [
      "a service without name",
      { source: { services: { namespace: "db" } } },
      ["source.services.name: must name a Service"],
    ],
    [
      "a service beside others",
      { source: { services: { name: "db" }, selector: "all()", nets: ["10.0.0.0/8"], notSelector: "" } },
      ["source.selector: cannot stand beside services", "source.nets: cannot stand beside services"],
    ],
    [
      "more than one fault",
      { action: "Deny", protocol: "x", source: { nets: ["y"] } },
      [
        "protocol: allowed are TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite and numbers from 1 to 255",
        'source.nets.0: "y" is no CIDR; expected the form 10.244.0.0/16, fd00::/64 or 192.0.2.7',
      ],
    ],
  ])("%s", (_, rule, refused) => {
    expect(inRule(rule)).toEqual(refused);
  });

  test("services of egress rules are destinations without ports; in a global policy they name their namespace", () => {
    const services = { name: "db" };
    expect(
      inRule({ protocol: "TCP", destination: { services, ports: [80] } }, "calicoNetworkPolicies", "egress"),
    ).toEqual(["destination.ports: cannot stand beside services"]);
    expect(inRule({ source: { services } }, "calicoNetworkPolicies", "egress")).toEqual([
      "source.services: allowed in destination of egress rules only",
    ]);
    expect(inRule({ destination: { services } }, "globalNetworkPolicies", "egress")).toEqual([
      "destination.services.namespace: is needed in a global policy",
    ]);
  });

  test("an address is a network of its own", () => {
    const source = { nets: ["10.0.0.1", "10.1.0.0/16"], notNets: ["10.1.0.9"] };
    const read = specOf("calicoNetworkPolicies", { ingress: [{ action: "Deny", source }] }).ingress;
    expect((read as object[])[0]).toMatchObject({
      source: { nets: ["10.0.0.1/32", "10.1.0.0/16"], notNets: ["10.1.0.9/32"] },
    });
  });

  test("are read in numbers", () => {
    const rule = {
      action: "Log",
      protocol: "UDP",
      notProtocol: "6",
      destination: { ports: [53, "100:200", "dns"] },
      source: { selector: "" },
    };
    expect((specOf("calicoNetworkPolicies", { egress: [rule] }).egress as object[])[0]).toMatchObject({
      action: "Log",
      protocol: 17,
      notProtocol: 6,
      source: { nets: [], selector: undefined, ports: [] },
      destination: { ports: [{ first: 53, last: 53 }, { first: 100, last: 200 }, { name: "dns" }] },
    });
  });
});

test("a list of 200,000 names, each once, takes no more than a moment", () => {
  const names = Array.from({ length: 200_000 }, (_, index) => `n${index}`);
  const before = process.threadCpuUsage();
  const found = refusals("calicoNetworkPolicies", rule([...names, "n7"]));
  expect(process.threadCpuUsage(before).user).toBeLessThan(5_000_000);
  expect(found).toEqual(["spec.ingress.0.source.serviceAccounts.names.200000: stands in the list already"]);
  function rule(list: string[]) {
    return { ingress: [{ action: "Allow", source: { serviceAccounts: { names: list } } }] };
  }
});
