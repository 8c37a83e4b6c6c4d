// Attacks: packets from senders that try to get more than they are allowed.
import type { Family } from "../../../model/address/address.ts";
import { nodes, outside, secondAddress } from "../cluster.ts";
import { echo, frame, icmpError, tcp, udp, vxlan } from "../frames.ts";
import { about, arrives, arrivesWrapped, isolated, leaves, type PacketTest, sends } from "./step.ts";

const { master, node, far, fresh } = nodes;
const { client1, client2, remote } = outside;
const [web, db, jail, open] = ["10.244.0.2", "10.244.0.3", "10.245.0.2", "10.245.0.3"];
const [web2, friend] = ["10.244.1.2", "10.245.1.2"];
const dropped = /^drop_/;
const direct = { returnMode: "DSR", services: true } as const;
const translated = { services: true } as const;

/** No host on a network may use one of these as its source. The reserved ones of IPv6 would be keys of our maps: a pod's IPv4
 * address, a client's, a node port. */
const martians = {
  IPv4: [master, secondAddress, "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", "0.1.2.3", "240.0.0.1"],
  IPv6: [master, secondAddress, "::1", "::", "ff02::1", `::ffff:${web}`, `::ffff:${client1}`, `::${web}`, "::6"],
} as const;
const wrappedIn = (destination: string) => vxlan(50000, 0xc00000, 0, Buffer.from(`${destination} has what you want`));

const forgedSources = (family: Family): PacketTest[] =>
  martians[family].flatMap((source) => [
    {
      family,
      say: `from outside, source ${source}: dropped before anything is looked up`,
      steps: [
        arrives({ source, destination: jail }, tcp(7000, 80, "S"), dropped),
        arrives({ source, destination: master }, tcp(7000, 30082, "S"), dropped),
        arrives({ source, destination: open }, udp(7000, 80), dropped),
        arrives({ source, destination: master }, udp(7000, 53), dropped),
      ],
    },
    {
      family,
      say: `wrapped, source ${source}: dropped in every kind`,
      steps: (["overlay", "forward via", "forward direct", "return"] as const).map((kind) =>
        arrivesWrapped(
          { kind },
          { source, destination: kind === "overlay" ? jail : node },
          tcp(7001, 30082, "S"),
          dropped,
        ),
      ),
    },
  ]);

export const attacks: readonly PacketTest[] = [
  ...forgedSources("IPv4"),
  ...forgedSources("IPv6"),
  {
    say: "a known flow of a routed pod, from a hardware address that resembles its node's",
    handling: translated,
    steps: [
      arrives({ source: friend, destination: open, by: node }, udp(7306, 80), /^to_endpoint to open/),
      arrives({ source: friend, destination: open, by: node }, udp(7306, 80), /^to_endpoint to open/),
      ...["06:00:00:00:03:02", "02:01:00:00:03:02", "02:00:00:00:03:03"].map((source) => ({
        program: "from_uplink" as const,
        at: "uplink",
        frame: frame({ source: friend, destination: open }, udp(7306, 80), { source }),
        becomes: "drop_spoofed_source",
      })),
      arrives({ source: friend, destination: open, by: node }, udp(7306, 80), /^to_endpoint to open/),
    ],
  },
  {
    say: "wrapped, an error from another node about a flow that has no end on that node",
    handling: translated,
    steps: [
      sends("web", { destination: open }, udp(7301, 80), /^to_endpoint to open/),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: web },
        icmpError(3, 3, about({ source: web, destination: open }, udp(7301, 80))),
        "drop_unrelated",
      ),
      sends("web", { destination: web2 }, udp(7302, 80), /^to_overlay/),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: web },
        icmpError(3, 3, about({ source: web, destination: web2 }, udp(7302, 80))),
        /^to_endpoint to web/,
      ),
    ],
  },
  {
    say: "a priority tag (VLAN 0) opens nothing and closes nothing; a VLAN is another interface's",
    handling: translated,
    steps: [
      { ...arrives({ source: "127.0.0.1", destination: open }, udp(7303, 80), "drop_martian_source"), tag: 0 },
      { ...arrives({ source: client2, destination: open }, udp(7304, 80), /^to_endpoint to open/), tag: 0 },
      { ...arrives({ source: client2, destination: open }, udp(7305, 80), /^pass_to_stack/), tag: 100 },
    ],
  },
  {
    say: "the target of a ping cannot ping back with the same identifier",
    handling: translated,
    steps: [
      sends("db", { destination: client2 }, echo(40_025), /^to_network/),
      arrives({ source: client2, destination: db }, echo(40_025), "drop_policy_ingress"),
      arrives({ source: client2, destination: db }, echo(40_025, "reply"), /^to_endpoint to db/),
    ],
  },
  {
    say: "from outside, a source that is a pod's: one of this node, one that must come wrapped; directly and through a node port",
    handling: translated,
    steps: [web, web2].flatMap((source) => [
      arrives({ source, destination: db }, tcp(7002, 80, "S"), "drop_spoofed_source"),
      arrives({ source, destination: master }, tcp(7002, 30082, "S"), "drop_spoofed_source"),
    ]),
  },
  {
    say: "from outside, a pod's source on a flow that is known",
    handling: translated,
    steps: [
      arrivesWrapped({ kind: "overlay" }, { source: web2, destination: db }, tcp(7003, 80, "S"), /^to_endpoint to db/),
      arrives({ source: web2, destination: db }, tcp(7003, 80, "A"), dropped),
      sends("web", { destination: db }, tcp(7003, 80, "S"), /^to_endpoint to db/),
      arrives({ source: web, destination: db }, tcp(7003, 80, "A"), dropped),
    ],
  },
  {
    say: "wrapped as the return of a flow that this node never forwarded: delivered nowhere",
    steps: [jail, open, client1].flatMap((destination) => [
      arrivesWrapped({ kind: "return" }, { source: client2, destination }, udp(7004, 80), dropped),
      arrivesWrapped(
        { kind: "return" },
        { source: node, destination },
        icmpError(3, 3, about({ source: destination, destination: node }, udp(80, 7004))),
        dropped,
      ),
    ]),
  },
  {
    say: "an error that comes back to an entry node is from a router or the service, never from a pod or the node itself",
    handling: translated,
    steps: [
      arrives({ source: far, destination: secondAddress }, tcp(7401, 30089, "S"), /^forward_service/),
      ...[web, web2, master, "127.0.0.1", remote, secondAddress].map((source) =>
        arrivesWrapped(
          { kind: "return" },
          { source, destination: far },
          icmpError(3, 1, about({ source: far, destination: secondAddress }, tcp(7401, 30089))),
          source === remote || source === secondAddress ? /^return_forwarded/ : dropped,
        ),
      ),
    ],
  },
  {
    say: "a peer that is no longer allowed can neither request, answer, nor send errors on an open connection",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: db }, tcp(7501, 80, "S"), /^to_endpoint/),
      sends("db", { destination: client1 }, tcp(80, 7501, "SA"), /^to_network/),
      arrives({ source: client1, destination: db }, tcp(7501, 80, "A"), /^to_endpoint/),
      sends("jail", { destination: web }, tcp(7502, 80, "S"), /^to_endpoint/),
      sends("web", { destination: jail }, tcp(80, 7502, "SA"), /^to_endpoint/),
      {
        ...arrives({ source: client1, destination: db }, tcp(7501, 80, "A"), "drop_policy_ingress"),
        policies: [isolated("db", "Ingress"), isolated("jail", "Egress")],
      },
      sends("db", { destination: client1 }, tcp(80, 7501, "A"), "drop_policy_ingress"),
      arrives(
        { source: client1, destination: db },
        icmpError(3, 3, about({ source: db, destination: client1 }, tcp(80, 7501))),
        "drop_policy_ingress",
      ),
      sends("jail", { destination: web }, tcp(7502, 80, "A"), "drop_policy_egress"),
      sends("web", { destination: jail }, tcp(80, 7502, "A"), "drop_policy_egress"),
    ],
  },
  {
    say: "a peer that a pod may no longer ask has its first answer still on its way",
    handling: translated,
    steps: [
      sends("open", { destination: friend }, udp(7505, 80), /^(pass_to_stack|to_network)/),
      {
        ...arrives({ source: friend, destination: open, by: node }, udp(80, 7505), "drop_policy_egress"),
        policies: [isolated("open", "Egress")],
      },
    ],
  },
  {
    say: "wrapped in the name of a node whose hardware address is not known yet",
    steps: [
      arrivesWrapped(
        { kind: "overlay", node: fresh },
        { source: fresh, destination: web },
        tcp(7407, 80, "S"),
        "drop_unknown_tunnel_peer",
      ),
    ],
  },
  {
    say: "wrapped with a backend of another service",
    handling: direct,
    steps: [
      arrivesWrapped(
        { kind: "forward direct", for: "db" },
        { source: client1, destination: node },
        tcp(7408, 30080, "S"),
        /^to_endpoint to web/,
      ),
    ],
  },
  {
    say: "a process on the node sends wrapped packets",
    steps: [leaves({ source: master, destination: node }, wrappedIn(web), "drop_tunnel_from_workload")],
  },
  {
    say: "a service whose backend is a node's tunnel port",
    handling: translated,
    steps: [sends("web", { destination: "10.96.0.21" }, udp(7409, 80), "drop_tunnel_from_workload")],
  },
  {
    say: "wrapped by a stranger: not unwrapped here, refused behind the kernel's device",
    steps: [
      arrivesWrapped(
        { kind: "overlay", node: client1 },
        { source: web2, destination: web },
        tcp(7005, 80, "S"),
        /^(pass_to_stack|drop_)/,
      ),
      {
        ...arrives({ source: web2, destination: web }, tcp(7005, 80, "S"), "drop_unknown_tunnel_peer"),
        program: "from_tunnel",
        at: "tunnel",
        tunnel: { node: client1, vni: 4096 },
      },
    ],
  },
  {
    say: "in the overlay, an address of another node's pod",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "overlay", node: far },
        { source: web2, destination: web },
        tcp(7006, 80, "S"),
        "drop_spoofed_source",
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: client1, destination: db },
        tcp(7006, 80, "S"),
        "drop_spoofed_source",
      ),
      arrivesWrapped({ kind: "overlay" }, { source: db, destination: web }, tcp(7006, 80, "S"), "drop_spoofed_source"),
    ],
  },
  {
    say: "a pod's VXLAN to nodes, also to a second address",
    steps: [node, secondAddress, master, far, friend].map((destination) =>
      sends("open", { destination }, wrappedIn(destination), dropped),
    ),
  },
  {
    say: "a pod's errors about no flow, about other pods' flows, to arbitrary addresses, or too large",
    handling: translated,
    steps: [
      sends(
        "jail",
        { destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: jail }, udp(9, 9))),
        dropped,
      ),
      arrives({ source: client2, destination: open }, udp(7007, 80), /^to_endpoint to open/),
      sends("open", { destination: client2 }, udp(80, 7007), /^to_network/),
      sends(
        "open",
        { destination: jail },
        icmpError(3, 3, about({ source: client2, destination: open }, udp(7007, 80))),
        dropped,
      ),
      sends(
        "jail",
        { destination: client2 },
        icmpError(3, 3, about({ source: client2, destination: open }, udp(7007, 80))),
        dropped,
      ),
      sends(
        "open",
        { destination: client2 },
        icmpError(3, 3, about({ source: client2, destination: open }, udp(7007, 80, Buffer.alloc(1400)), 1300)),
        dropped,
      ),
      arrives(
        { source: client1, destination: jail },
        icmpError(3, 3, about({ source: open, destination: client2 }, udp(80, 7007))),
        dropped,
      ),
      arrives(
        { source: client2, destination: open },
        icmpError(3, 3, about({ source: open, destination: client2 }, udp(80, 7007))),
        /^to_endpoint to open/,
      ),
    ],
  },
  {
    say: "errors from outside about no known flow are counted and dropped where they would reach a pod",
    steps: [
      arrives(
        { source: client1, destination: jail },
        icmpError(3, 3, about({ source: jail, destination: client1 }, udp(80, 7008))),
        dropped,
      ),
      arrives(
        { source: client1, destination: master },
        icmpError(3, 3, about({ source: master, destination: client1 }, udp(80, 7008))),
        /^pass_to_stack/,
      ),
    ],
  },
  ...(["IPv4", "IPv6"] as const).map((family) => ({
    family,
    say: "a pod with sources that are not its own",
    steps: [...martians[family], db, web2, friend, client1, "10.96.0.10"].map((as) =>
      sends("web", { as, destination: open }, udp(7009, 80), dropped),
    ),
  })),
  {
    say: "a pod's frames with a VLAN tag",
    handling: translated,
    steps: [
      { ...sends("web", { destination: open }, tcp(7010, 80, "S"), dropped), tag: 100 },
      { ...sends("web", { destination: open }, echo(1), dropped), tag: 0 },
    ],
  },
  {
    say: "an error from outside about a packet that never left this node, or left it wrapped",
    handling: translated,
    steps: [
      sends("web", { destination: db }, tcp(7606, 80, "S"), /^to_endpoint to db/),
      sends("web", { destination: web2 }, tcp(7607, 80, "S"), /^to_overlay/),
      ...[db, web2].map((destination, index) =>
        arrives(
          { source: remote, destination: web },
          icmpError(3, 1, about({ source: web, destination }, tcp(7606 + index, 80))),
          "drop_unrelated",
        ),
      ),
    ],
  },
  {
    say: "another sender's reset or SYN ends no connection",
    handling: translated,
    steps: [
      arrives({ source: client2, destination: open }, tcp(7011, 80, "S"), /^to_endpoint to open/),
      sends("open", { destination: client2 }, tcp(80, 7011, "SA"), /^to_network/),
      arrives({ source: client2, destination: open }, tcp(7011, 80, "A"), /^to_endpoint to open/),
      arrives({ source: client2, destination: open }, tcp(7011, 80, "R"), /^(to_endpoint to open|drop_)/),
      arrives({ source: client2, destination: open }, tcp(7011, 80, "A"), /^to_endpoint to open/),
      sends("open", { destination: client2 }, tcp(80, 7011, "A"), /^to_network/),
    ],
  },
  {
    say: "a wrapped packet is not forwarded again, whatever this node forwarded before: no loops between nodes",
    handling: direct,
    steps: [
      arrives({ source: client1, destination: master }, tcp(7012, 30089, "S"), /^forward_service/),
      arrivesWrapped(
        { kind: "forward direct" },
        { source: client1, destination: master },
        tcp(7012, 30089, "S"),
        "drop_no_local_backend",
      ),
    ],
  },
];
