// Which Services are served here, and where: those without a backend on this node, those for another proxy or for none, and node ports at some addresses.
import { announcedNetwork, gateway, leftAloneServices, nodes, outside, secondAddress } from "../cluster.ts";
import { tcp, udp } from "../frames.ts";
import { arrives, type PacketTest, type Step, sends } from "./step.ts";

const { master, node } = nodes;
const { client1 } = outside;
const [web, db] = ["10.244.0.2", "10.244.0.3"];
const translated = { services: true } as const;
/** Its only backend is on another node. */
const inside = "10.96.0.36";

/** Where a Service would be asked; those of `nobody` are no Service's. */
interface Places {
  readonly name: string;
  readonly clusterIP: string;
  readonly external: string;
  readonly nodePort: number;
}

const nobody: Places = {
  ...{ name: "no Service", clusterIP: "10.96.7.7", external: announcedNetwork.unused, nodePort: 30_199 },
};
const leftAlone = leftAloneServices.map(
  ({ name, clusterIP, nodePort, externalIP }): Places => ({ name, clusterIP, nodePort, external: externalIP }),
);

/** The same for each of them: as if nobody had it. */
function unserved({ clusterIP, external, nodePort }: Places): Step[] {
  return [
    sends(
      "web",
      { destination: clusterIP },
      tcp(5700, 80, "S"),
      `to_network to ${gateway}: tcp ${web}:5700 > ${clusterIP}:80`,
    ),
    arrives(
      { source: client1, destination: clusterIP },
      tcp(5701, 80, "S"),
      `pass_to_stack: tcp ${client1}:5701 > ${clusterIP}:80`,
    ),
    sends("web", { destination: external }, tcp(5702, 80, "S"), "drop_unknown_endpoint"),
    arrives({ source: client1, destination: external }, tcp(5703, 80, "S"), "drop_unknown_endpoint"),
    arrives(
      { source: client1, destination: master },
      tcp(5704, nodePort, "S"),
      `pass_to_stack: tcp ${client1}:5704 > ${master}:${nodePort}`,
    ),
    sends(
      "web",
      { destination: node },
      tcp(5705, nodePort, "S"),
      `to_overlay to ${node}: wrapped for node (overlay): tcp ${web}:5705 > ${node}:${nodePort}`,
    ),
    sends(
      "web",
      { destination: master },
      tcp(5706, nodePort, "S"),
      `pass_to_stack: tcp ${web}:5706 > ${master}:${nodePort}`,
    ),
  ];
}

export const served: readonly PacketTest[] = [
  {
    say: "internal traffic policy Local without a backend here: the cluster address is dropped whoever asks, as by kube-proxy; the node port is served",
    handling: translated,
    steps: [
      sends("web", { destination: inside }, tcp(5710, 80, "S"), "drop_no_local_backend"),
      sends("jail", { destination: inside }, tcp(5711, 80, "S"), "drop_no_local_backend"),
      arrives({ source: client1, destination: inside }, tcp(5712, 80, "S"), "drop_no_local_backend"),
      arrives({ source: client1, destination: master }, tcp(5713, 30100, "S"), /^forward_service to 172.31.1.207: /),
      sends("web", { destination: master }, tcp(5714, 30100, "S"), /^to_overlay to 172.31.1.207: .*:5714 > \S*:80$/),
    ],
    known: { port: 5710, as: [] },
  },
  ...[nobody, ...leftAlone].map((places) => ({
    say: `${places.name}: its addresses and node port are left alone`,
    handling: translated,
    steps: unserved(places),
  })),
  {
    say: "node ports answer at the addresses that the cluster names; elsewhere they are ports of the node, and cluster addresses stay",
    handling: translated,
    steps: [
      ...[master, secondAddress, node].map((destination, index) =>
        arrives({ source: client1, destination }, tcp(5720 + index, 30082, "S"), /^to_endpoint to db/),
      ),
      {
        ...arrives({ source: client1, destination: master }, tcp(5730, 30082, "S"), /^to_endpoint to db/),
        nodePortAddresses: `${master}/32`,
      },
      ...[secondAddress, node].flatMap((destination) => [
        arrives(
          { source: client1, destination },
          tcp(5731, 30082, "S"),
          `pass_to_stack: tcp ${client1}:5731 > ${destination}:30082`,
        ),
        arrives(
          { source: client1, destination },
          udp(5731, 30081),
          `pass_to_stack: udp ${client1}:5731 > ${destination}:30081`,
        ),
      ]),
      sends("web", { destination: master }, tcp(5732, 30082, "S"), `to_endpoint to db: tcp ${web}:5732 > ${db}:80`),
      sends(
        "web",
        { destination: secondAddress },
        tcp(5732, 30082, "S"),
        `pass_to_stack: tcp ${web}:5732 > ${secondAddress}:30082`,
      ),
      sends("web", { destination: node }, tcp(5733, 30082, "S"), /^to_overlay to 172.31.1.207: .*:5733 > \S*:30082$/),
      sends("web", { destination: "10.96.0.12" }, tcp(5734, 80, "S"), `to_endpoint to db: tcp ${web}:5734 > ${db}:80`),
      // A connection that began before keeps its backend.
      arrives({ source: client1, destination: secondAddress }, tcp(5721, 30082, "A"), /^to_endpoint to db/),
    ],
  },
];
