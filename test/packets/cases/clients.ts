// Who may use a load balancer's address: its source ranges.
import { guarded as balanced, gateway, nodes, outside } from "../cluster.ts";
import { udp } from "../frames.ts";
import { arrives, arrivesWrapped, later, type PacketTest, sends } from "./step.ts";

const { master } = nodes;
const { client1, client2, remote } = outside;
const [open, web2, guarded] = ["10.245.0.3", "10.244.1.2", balanced.address];
const direct = { returnMode: "DSR", services: true } as const;
const translated = { services: true } as const;

export const restricted: readonly PacketTest[] = [
  {
    say: "a load balancer's address: clients in its source ranges only, before a backend is chosen",
    handling: translated,
    steps: [
      arrives(
        { source: client1, destination: guarded },
        udp(5100, 80),
        /^(to_endpoint to open|forward_service to 172)/,
      ),
      arrives({ source: client2, destination: guarded }, udp(5100, 80), "drop_source_range"),
      arrives({ source: remote, destination: guarded, by: gateway }, udp(5100, 80), "drop_source_range"),
      arrives({ source: client2, destination: guarded }, udp(5100, 81), "drop_unknown_endpoint"),
      arrives(
        { source: client2, destination: master },
        udp(5101, 30090),
        /^(to_endpoint to open|forward_service to 172)/,
      ),
      sends("web", { destination: guarded }, udp(5102, 80), /^(to_endpoint to open|to_overlay to 172)/),
      sends("db", { destination: guarded }, udp(5102, 80), "drop_source_range"),
      sends("db", { destination: "10.96.0.20" }, udp(5103, 80), /^(to_endpoint to open|to_overlay to 172)/),
    ],
  },
  {
    say: "a load balancer's address: packets that an entry node wrapped were checked there, those that a pod's node wrapped were not",
    handling: direct,
    steps: [
      arrivesWrapped(
        { kind: "forward direct", for: "open" },
        { source: client2, destination: guarded },
        udp(5104, 80),
        `to_endpoint to open: udp ${client2}:5104 > ${open}:80`,
      ),
      later(
        arrivesWrapped(
          { kind: "forward direct", for: "open" },
          { source: client2, destination: guarded },
          udp(5104, 80),
          `to_endpoint to open: udp ${client2}:5104 > ${open}:80`,
        ),
      ),
      arrivesWrapped({ kind: "overlay" }, { source: web2, destination: guarded }, udp(5105, 80), "drop_source_range"),
    ],
  },
];
