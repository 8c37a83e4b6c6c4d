import { expect, test } from "vitest";
import { removal } from "./kube-proxy-rules.ts";

const chain = (table: string, name: string, hook?: string) => ({ family: "ip", table, name, ...(hook && { hook }) });
const jump = (handle: number, target: string) => ({ rule: { handle, expr: [{ match: {} }, { jump: { target } }] } });
const rulesOf = ({ name }: { name: string }) => {
  if (name === "PREROUTING") return [{ chain: {} }, jump(3, "KUBE-SERVICES"), jump(4, "DOCKER")];
  if (name === "INPUT") return [jump(9, "KUBE-FIREWALL"), jump(10, "KUBE-NODEPORTS")];
  throw new Error(`the rules of ${name} are not needed`);
};

test("a node without kube-proxy's rules is not changed", () => {
  const others = [chain("nat", "PREROUTING", "prerouting"), chain("mangle", "KUBE-IPTABLES-HINT")];
  expect(removal(others, rulesOf)).toEqual([]);
});

test("jumps are deleted before the content, and the content before the chains; rules of kubelet and others stay", () => {
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

test("the separate table of nftables mode is deleted as a whole, once in each family", () => {
  const chains = ["services", "nodeports"].map((name) => chain("kube-proxy", name, "prerouting"));
  const six = chains.map((each) => ({ ...each, family: "ip6" }));
  expect(removal([...chains, ...six], rulesOf)).toEqual(["delete table ip kube-proxy", "delete table ip6 kube-proxy"]);
});
