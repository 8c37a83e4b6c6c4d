// Nobody waits in silence: what is refused is answered, with the address that the sender used.
import { announcedNetwork, emptyAddress, externalAddress, nodes, outside, secondAddress } from "../cluster.ts";
import { echo, icmpError, raw, tcp, udp } from "../frames.ts";
import { about, arrives, arrivesWrapped, handed, leaves, type PacketTest, sends } from "./step.ts";

const { master, node } = nodes;
const { client1 } = outside;
const [web, jail] = ["10.244.0.2", "10.245.0.2"];
const translated = { services: true } as const;
const reset = (to: number) => tcp(0, to, "RA", undefined, { sequence: 0, acknowledges: 1001 });

export const refusals: readonly PacketTest[] = [
  {
    say: "an error of the node's stack about a backend on its network comes from the address the client used",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "forward direct", for: "master" },
        { source: client1, destination: node },
        tcp(5001, 30086, "S"),
        `pass_to_stack: tcp ${client1}:5001 > ${master}:80`,
      ),
      leaves(
        { source: master, destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: master }, tcp(5001, 80))),
        `return_direct: icmp ${node} > ${client1} about tcp ${client1}:5001 > ${node}:30086`,
      ),
      arrivesWrapped(
        { kind: "forward via", for: "master" },
        { source: client1, destination: node },
        tcp(5002, 30086, "S"),
        `pass_to_stack: tcp ${client1}:5002 > ${master}:80`,
      ),
      leaves(
        { source: master, destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: master }, tcp(5002, 80))),
        `return_via_entry to ${node}: wrapped for node (return): icmp ${node} > ${client1} about tcp ${client1}:5002 > ${node}:30086`,
      ),
    ],
  },
  {
    say: "an error of the node's stack about its own packets leaves as it is",
    steps: [
      leaves(
        { source: master, destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: master }, udp(5003, 5353))),
        `pass_to_stack: icmp ${master} > ${client1} about udp ${client1}:5003 > ${master}:5353`,
      ),
    ],
  },
  ...[master, secondAddress, node, emptyAddress].map((address, index) => {
    const [port, asked] = [5010 + index, address === emptyAddress ? 80 : 30087];
    return {
      say: `a client of a service without backends at ${address} gets the answer of this node's stack, from there`,
      handling: translated,
      steps: [
        arrives(
          { source: client1, destination: address },
          tcp(port, asked, "S"),
          `reject_no_backend: tcp ${client1}:${port} > ${master}:0`,
        ),
        leaves(
          { source: master, destination: client1 },
          reset(port),
          `to_network: tcp ${address}:${asked} > ${client1}:${port}`,
        ),
        leaves(
          { source: master, destination: client1 },
          icmpError(3, 3, about({ source: client1, destination: master }, tcp(port, 0))),
          `to_network: icmp ${address} > ${client1} about tcp ${client1}:${port} > ${address}:${asked}`,
        ),
      ],
    };
  }),
  {
    say: "so does a pod, whatever its policies say: the answer is its own node's",
    handling: translated,
    steps: (["web", "jail"] as const).flatMap((pod) => {
      const address = { web, jail }[pod];
      return [
        sends(
          pod,
          { destination: "10.96.0.17" },
          tcp(5020, 80, "S"),
          `reject_no_backend: tcp ${address}:5020 > ${master}:0`,
        ),
        handed(
          pod,
          { source: master, destination: address },
          reset(5020),
          `to_endpoint: tcp 10.96.0.17:80 > ${address}:5020`,
        ),
        handed(
          pod,
          { source: master, destination: address },
          icmpError(3, 3, about({ source: address, destination: master }, tcp(5020, 0))),
          `to_endpoint: icmp 10.96.0.17 > ${address} about tcp ${address}:5020 > 10.96.0.17:80`,
        ),
      ];
    }),
  },
  {
    say: "a client whose packet another node forwarded gets it the way it came: nothing is routed back to that node",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "forward via" },
        { source: client1, destination: node },
        tcp(5030, 30087, "S"),
        `reject_no_backend: tcp ${client1}:5030 > ${master}:0`,
      ),
      leaves(
        { source: master, destination: client1 },
        reset(5030),
        `return_via_entry to ${node}: wrapped for node (return): tcp ${node}:30087 > ${client1}:5030`,
      ),
      arrivesWrapped(
        { kind: "forward direct" },
        { source: client1, destination: node },
        tcp(5031, 30087, "S"),
        `reject_no_backend: tcp ${client1}:5031 > ${master}:0`,
      ),
      leaves(
        { source: master, destination: client1 },
        reset(5031),
        `return_direct: tcp ${node}:30087 > ${client1}:5031`,
      ),
    ],
  },
  {
    say: "every packet of a refused flow is answered, and a new request from the same port is a new one",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: emptyAddress }, tcp(5040, 80, "S"), /^reject_no_backend: .*:0$/),
      arrives({ source: client1, destination: emptyAddress }, tcp(5040, 80, "S"), /^reject_no_backend: .*:0$/),
      arrives({ source: client1, destination: emptyAddress }, tcp(5040, 80, "A"), /^reject_gone: .*:0$/),
      leaves({ source: master, destination: client1 }, reset(5040), /^to_network/),
      arrives({ source: client1, destination: emptyAddress }, tcp(5040, 80, "S"), /^reject_no_backend: .*:0$/),
    ],
    known: { port: 5040, as: ["half open", "half open"] },
  },
  {
    say: "a port of a cluster address that no service has is refused; an address that no service has is routed",
    handling: translated,
    steps: [
      sends(
        "web",
        { destination: "10.96.0.12" },
        tcp(5050, 81, "S"),
        `reject_no_service: tcp ${web}:5050 > ${master}:0`,
      ),
      handed("web", { source: master, destination: web }, reset(5050), `to_endpoint: tcp 10.96.0.12:81 > ${web}:5050`),
      sends("web", { destination: "10.96.0.12" }, udp(5051, 80), `reject_no_service: udp ${web}:5051 > ${master}:0`),
      arrives(
        { source: client1, destination: "10.96.0.12" },
        tcp(5052, 81, "S"),
        `reject_no_service: tcp ${client1}:5052 > ${master}:0`,
      ),
      leaves({ source: master, destination: client1 }, reset(5052), `to_network: tcp 10.96.0.12:81 > ${client1}:5052`),
      sends("web", { destination: "10.96.7.7" }, tcp(5053, 81, "S"), /^to_network/),
      sends("web", { destination: "10.96.0.12" }, tcp(5054, 81, "A"), /^to_network/),
    ],
  },
  {
    say: "what is sent to an address of an announced network that no Service has ends here, whatever it is: the router would send it back",
    handling: translated,
    steps: [
      ...[tcp(5060, 80, "S"), tcp(5060, 80, "A"), udp(5060, 53), echo(9), raw(47, new Uint8Array(8))].map((transport) =>
        arrives({ source: client1, destination: announcedNetwork.unused }, transport, /^drop_unknown_endpoint/),
      ),
      arrives(
        { source: client1, destination: announcedNetwork.unused, fragment: 100 },
        udp(5061, 53),
        /^drop_unknown_endpoint/,
      ),
      arrives(
        { source: client1, destination: announcedNetwork.unused },
        icmpError(3, 3, about({ source: announcedNetwork.unused, destination: client1 }, udp(5062, 53))),
        /^drop_/,
      ),
      ...(["web", "open"] as const).map((pod) =>
        sends(pod, { destination: announcedNetwork.unused }, udp(5063, 53), /^drop_unknown_endpoint/),
      ),
      arrives({ source: client1, destination: emptyAddress }, tcp(5064, 80, "S"), /^reject_no_backend: .*:0$/),
      arrives({ source: client1, destination: externalAddress }, tcp(5065, 80, "S"), /^(to_endpoint|forward)/),
    ],
  },
  {
    say: "while kube-proxy handles services, addresses of that network are left to it",
    handling: { services: false },
    steps: [
      arrives({ source: client1, destination: announcedNetwork.unused }, udp(5060, 53), /^pass_to_stack/),
      sends("web", { destination: announcedNetwork.unused }, udp(5063, 53), /^pass_to_stack/),
    ],
  },
  {
    say: "a cluster address answers an echo, as this node does in its place",
    handling: translated,
    steps: [
      sends("web", { destination: "10.96.0.12" }, echo(9), `pass_to_stack: icmp ${web} > ${master}`),
      handed("web", { source: master, destination: web }, echo(9, "reply"), `to_endpoint: icmp 10.96.0.12 > ${web}`),
      arrives({ source: client1, destination: "10.96.0.17" }, echo(9), `pass_to_stack: icmp ${client1} > ${master}`),
      leaves({ source: master, destination: client1 }, echo(9, "reply"), `to_network: icmp 10.96.0.17 > ${client1}`),
    ],
  },
  {
    say: "while kube-proxy handles services, its cluster addresses are its own",
    handling: { services: false },
    steps: [
      sends("web", { destination: "10.96.0.12" }, tcp(5050, 81, "S"), /^pass_to_stack: .*10.96.0.12:81$/),
      sends("web", { destination: "10.96.0.12" }, echo(9), /^pass_to_stack: .*10.96.0.12$/),
    ],
  },
];
