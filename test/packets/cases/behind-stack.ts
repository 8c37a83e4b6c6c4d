// Packets that the host's stack forwards, and attempts to abuse them.
import { nodes, outside } from "../cluster.ts";
import { frame, icmpError, tcp, udp } from "../frames.ts";
import { about, arrives, arrivesWrapped, enters, handed, isolated, leaves, type PacketTest, sends } from "./step.ts";

const { master } = nodes;
const { client1, client2, remote } = outside;
const [web, db, jail, open] = ["10.244.0.2", "10.244.0.3", "10.245.0.2", "10.245.0.3"];
const web2 = "10.244.1.2";
const translated = { services: true } as const;
/** While kube-proxy handles services, the policy is judged where the packet leaves the stack. */
const KEPT_OUT = /^(drop_policy_ingress|pass_to_stack)/;
const NONE = new Uint8Array();
const MARK_JUDGE_LATER = 0xebf00002;

export const behindStack: readonly PacketTest[] = [
  {
    say: "later fragments that are to be judged behind the stack, whose first fragment was not seen",
    steps: [leaves, enters].map((way) => ({
      ...way({ source: jail, destination: client2, fragment: 5 }, udp(7402, 80), "drop_fragment"),
      mark: MARK_JUDGE_LATER,
    })),
  },
  {
    say: "an error in a pod's name from an interface that has no program",
    handling: translated,
    steps: [
      sends("web", { destination: open }, udp(7403, 80), /^to_endpoint to open/),
      ...[web2, remote].map((source) => ({
        program: "to_workload" as const,
        at: "web",
        through: "other",
        frame: frame(
          { source, destination: web },
          icmpError(3, 1, about({ source: web, destination: open }, udp(7403, 80))),
        ),
        becomes: source === web2 ? "drop_spoofed_source" : /^to_endpoint/,
      })),
    ],
  },
  {
    say: "a pod whose flow the stack masqueraded does not send under that address itself",
    steps: [
      ...["S", "A"].map((marks) => ({
        ...handed("db", { source: master, destination: db }, tcp(7404, 80, marks), /^to_endpoint/),
        through: "web",
      })),
      sends("web", { destination: db, as: master }, tcp(7404, 80, "A"), "drop_spoofed_source"),
    ],
  },
  {
    say: "no outside host can continue a pod's flow under the address that the stack gave it",
    steps: [
      ...["S", "A"].flatMap((marks) => [
        {
          ...handed("db", { source: remote, destination: db }, tcp(7405, 80, "S"), /^to_endpoint/),
          through: "web",
        },
        arrives({ source: remote, destination: db }, tcp(7405, 80, marks), KEPT_OUT),
      ]),
    ],
  },
  {
    say: "nor after the flow was refused on the path through the stack",
    steps: [
      { ...handed("db", { source: remote, destination: db }, tcp(7408, 80, "S"), /^to_endpoint/), through: "web" },
      {
        ...handed("db", { source: remote, destination: db }, tcp(7408, 80, "A"), "drop_policy_ingress"),
        through: "uplink",
      },
      arrives({ source: remote, destination: db }, tcp(7408, 80, "A"), KEPT_OUT),
    ],
  },
  {
    say: "nor can another pod that has that address",
    steps: [
      ...["S", "A"].map((marks) => ({
        ...handed("db", { source: jail, destination: db }, tcp(7406, 80, marks), /^to_endpoint/),
        through: "web",
      })),
      sends("jail", { destination: db }, tcp(7406, 80, "A"), "drop_policy_egress"),
    ],
  },
  {
    say: "the stack takes over the ports of a connection that another node forwarded: it is forgotten, only its replies are known",
    handling: { services: false },
    steps: [
      arrivesWrapped(
        { kind: "forward direct", for: "db" },
        { source: client1, destination: master },
        tcp(7507, 30082, "S"),
        /^to_endpoint to db/,
      ),
      arrives(
        { source: client1, destination: master },
        tcp(7507, 30082, "S", NONE, { sequence: 5000 }),
        /^pass_to_stack/,
      ),
    ],
    known: { port: 7507, as: ["half open"] },
  },
  {
    say: "a peer that is no longer allowed gets no more packets and no answers through the stack",
    steps: [
      ...["S", "A"].map((marks) =>
        handed("db", { source: client1, destination: db }, tcp(7503, 80, marks), /^to_endpoint/),
      ),
      sends("web", { destination: client1 }, udp(7504, 80), /^(pass_to_stack|to_network)/),
      handed("web", { source: client1, destination: web }, udp(80, 7504), /^to_endpoint/),
      {
        ...handed("db", { source: client1, destination: db }, tcp(7503, 80, "A"), "drop_policy_ingress"),
        policies: [isolated("db", "Ingress"), isolated("web", "Egress")],
      },
      handed("web", { source: client1, destination: web }, udp(80, 7504), "drop_policy_egress"),
    ],
  },
];
