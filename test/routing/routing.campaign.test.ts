// BGP, an egress gateway, load balancers and HostLocal on a whole cluster (program.ts): three nodes, a router and clients on both sides of it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { covers, hostCidr, parseCidr } from "../../model/address/address.ts";
import { until } from "../datapath/cluster/until.ts";
import { commandsOf, ended, type Running } from "../walkthrough/stack.ts";

const LIMIT = 1_200_000;
const { LAB, stack, lab, inMachine } = commandsOf("rout", "test/routing/program.ts");
const edge = "172.31.1.9";
const master = "172.31.1.8";
const services = "10.96.0.0/12";
const clients = { client1: "172.31.1.55", client2: "172.31.1.162" } as const;

const running: Running[] = [];
beforeAll(async () => {
  await ended(stack("up"));
  for (const client of Object.keys(clients)) running.push(inMachine(client, "node", "-e", SERVER));
}, LIMIT);
afterAll(async () => {
  for (const { pid } of running) process.kill(-pid, "SIGKILL");
  await ended(lab("down", LAB));
}, LIMIT);

/** Says from which address it was asked. */
const SERVER = `require("node:http").createServer(({ socket }, answer) => answer.end(socket.remoteAddress)).listen(8080, "0.0.0.0")`;

const sh = async (machine: string, script: string) =>
  (await ended(inMachine(machine, "sh", "-c", script))).stdout.trim();
const kubectl = async (...words: string[]) => (await ended(inMachine("master", "kubectl", ...words))).stdout.trim();
const learned = (destination: string) => sh("router", `ip route show ${destination} proto bird`);
const podAddresses = async () =>
  (await kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}")).split(" ");

/** The status of an answer over HTTP; 000: none. */
const status = (client: keyof typeof clients, address: string) =>
  sh(client, `curl -s -m 10 -o /dev/null -w '%{http_code}' http://${address}/ || true`);

/** As whom a client sees a pod on "node". */
const seenAs = (pod: string, client: string) =>
  sh(
    "node",
    `for n in /run/netns/*; do nsenter --net=$n ip -4 -o address show | grep -q ' ${pod}/' && nsenter --net=$n curl -s -m 10 http://${client}:8080/ || true; done`,
  );

async function leavesAs(gateway: string): Promise<void> {
  const [pod = ""] = await podAddresses();
  await until(`pods to leave as ${gateway}`, async () => (await seenAs(pod, clients.client2)) === gateway);
}

async function reached(addresses: readonly string[]): Promise<void> {
  for (const address of addresses)
    for (const client of ["client1", "client2"] as const)
      await until(`${client} to reach ${address}`, async () => (await status(client, address)) === "200");
}

test(
  "clients on both sides of the router reach pods, and a Service by its cluster's and its load balancer's address, by what the router has learned",
  async () => {
    const of = (path: string) => kubectl("get", "service", "web", "-o", `jsonpath={${path}}`);
    const [cluster, balancer] = [await of(".spec.clusterIP"), await of(".status.loadBalancer.ingress[0].ip")];
    await reached([...(await podAddresses()), cluster, balancer]);
    for (const node of [edge, "172.31.1.207"]) expect(await learned(services)).toContain(`via ${node} `);
    // A control plane of kubeadm is excluded from external load balancers.
    expect(await learned(services)).not.toContain(`via ${master} `);
  },
  LIMIT,
);

test(
  "pods are seen as their gateway by its destinations, and as themselves by others",
  async () => {
    await leavesAs(edge);
    for (const pod of await podAddresses()) {
      expect(await seenAs(pod, clients.client2)).toBe(edge);
      expect(await seenAs(pod, clients.client1)).toBe(pod);
    }
  },
  LIMIT,
);

test(
  "a cordoned node withdraws the Services first, and is the gateway no more; no request fails meanwhile",
  async () => {
    const address = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    const ask = `curl -s -m 10 -o /dev/null -w '%{http_code}\\n' http://${address}/`;
    const requests = inMachine(
      "client1",
      "sh",
      "-c",
      `rm -f /tmp/end; until [ -e /tmp/end ]; do ${ask}; sleep 0.1; done`,
    );
    await kubectl("cordon", "edge");
    await until("the router to forget edge", async () => !(await learned(services)).includes(edge));
    await leavesAs(master);
    await kubectl("uncordon", "edge");
    await until("the router to learn of edge again", async () => (await learned(services)).includes(edge));
    await leavesAs(edge);
    await sh("client1", "touch /tmp/end");
    const answers = (await ended(requests)).stdout.trim().split("\n");
    expect(answers.filter((answer) => answer !== "200")).toEqual([]);
    expect(answers.length).toBeGreaterThan(5);
  },
  LIMIT,
);

test(
  "the gateway moves when its node is lost, and comes back",
  async () => {
    await sh("edge", "ip link set eth0 down");
    await leavesAs(master);
    await sh("edge", "ip link set eth0 up; ip route replace default via 172.31.1.1");
    await leavesAs(edge);
  },
  LIMIT,
);

test(
  "with ipam HostLocal running pods keep their addresses, new ones have one of their node's podCIDRs, and all are reached directly",
  async () => {
    const before = await podAddresses();
    await ended(stack("up", "--config", "ipam=HostLocal"));
    expect(await podAddresses()).toEqual(before);
    await reached(before);
    await kubectl("rollout", "restart", "deployment/web");
    await kubectl("rollout", "status", "deployment/web", "--timeout=10m");
    await until("the old pods to be gone", async () => (await podAddresses()).length === before.length);
    const [podCidr = ""] = (await kubectl("get", "node", "node", "-o", "jsonpath={.spec.podCIDRs[*]}")).split(" ");
    const after = await podAddresses();
    expect(after.filter((address) => !covers(parseCidr(podCidr), hostCidr(address)))).toEqual([]);
    await reached(after);
    await leavesAs(edge);
  },
  LIMIT,
);
