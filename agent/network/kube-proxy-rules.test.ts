import { expect, test } from "vitest";
import { removal } from "./kube-proxy-rules.ts";

const chain = (table: string, name: string, hook?: string) => ({ family: "ip", table, name, ...(hook && { hook }) });
const jump = (handle: number, target: string) => ({ rule: { handle, expr: [{ match: {} }, { jump: { target } }] } });
const rulesOf = ({ name }: { name: string }) => {
  if (name === "PREROUTING") return [{ chain: {} }, jump(3, "KUBE-SERVICES"), jump(4, "DOCKER")];
  if (name === "INPUT") return [jump(9, "KUBE-FIREWALL"), jump(10, "KUBE-NODEPORTS")];
  throw new Error(`nobody needs the rules of ${name}`);
};

test("a node without kube-proxy's rules is left alone", () => {
  const others = [chain("nat", "PREROUTING", "prerouting"), chain("mangle", "KUBE-IPTABLES-HINT")];
  expect(removal(others, rulesOf)).toEqual([]);
});

test("jumps go before the content, and that before the chains; kubelet's and other people's stay", () => {
  const chains = [
    chain("nat", "PREROUTING", "prerouting"),
    chain("nat", "KUBE-SERVICES"),
    chain("nat", "KUBE-SVC-ERIFXISQEP7F7OF4"),
    chain("nat", "DOCKER"),
    chain("nat", "KUBE-SVC-MINE"),
    chain("filter", "INPUT", "input"),
    chain("filter", "KUBE-FIREWALL"),
    chain("filter", "KUBE-NODEPORTS"),
    chain("mangle", "PREROUTING", "prerouting"),
    chain("mangle", "KUBE-KUBELET-CANARY"),
  ];
  expect(removal(chains, rulesOf)).toEqual([
    "delete rule ip nat PREROUTING handle 3",
    "delete rule ip filter INPUT handle 10",
    "flush chain ip nat KUBE-SERVICES",
    "flush chain ip nat KUBE-SVC-ERIFXISQEP7F7OF4",
    "flush chain ip filter KUBE-NODEPORTS",
    "delete chain ip nat KUBE-SERVICES",
    "delete chain ip nat KUBE-SVC-ERIFXISQEP7F7OF4",
    "delete chain ip filter KUBE-NODEPORTS",
  ]);
});

test("the table of its own that nftables mode makes goes whole, in each family once", () => {
  const chains = ["services", "nodeports"].map((name) => chain("kube-proxy", name, "prerouting"));
  const six = chains.map((each) => ({ ...each, family: "ip6" }));
  expect(removal([...chains, ...six], rulesOf)).toEqual(["delete table ip kube-proxy", "delete table ip6 kube-proxy"]);
});
