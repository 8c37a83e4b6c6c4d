// What a host on the nodes' link wraps in the name of a node: the frame has another hardware address.
import { nodes, outside } from "../cluster.ts";
import { icmpError, tcp, udp } from "../frames.ts";
import { neighbours } from "../node.ts";
import { about, arrives, arrivesWrapped, bytesOf, later, type PacketTest, type Step, sends } from "./step.ts";

const { master } = nodes;
const { client1, client2 } = outside;
const [web, web2] = ["10.244.0.2", "10.244.1.2"];
const VNI_AT = 14 + 20 + 8 + 4;
const translated = { services: true, encapsulation: "VXLAN" } as const;

/** The same packet in a frame of `host`. */
function inFrameOf(host: string, { unwrapped: _, ...step }: Step, becomes: Step["becomes"]): Step {
  return {
    ...step,
    frame: (node, family) => {
      const bytes = Buffer.from(bytesOf(step, node, family));
      bytes.write((neighbours[host] as string).replaceAll(":", ""), 6, "hex");
      return bytes;
    },
    becomes,
  };
}
/** A number of a network that is not the dataplane's. */
const OTHER_VNI = 4097;

function ofOtherNetwork({ unwrapped, ...step }: Step): Step {
  return {
    ...step,
    ...(unwrapped && {
      unwrapped: (node, family) => {
        const { frame, tunnel } = unwrapped(node, family);
        return { frame, tunnel: tunnel && { ...tunnel, vni: OTHER_VNI } };
      },
    }),
    frame: (node, family) => {
      const bytes = Buffer.from(bytesOf(step, node, family));
      bytes.writeUIntBE(OTHER_VNI, VNI_AT, 3);
      return bytes;
    },
    becomes: "drop_unknown_tunnel_peer",
  };
}
const forged = (step: Step) => inFrameOf(client2, step, "drop_unknown_tunnel_peer");

const error = arrivesWrapped(
  { kind: "overlay" },
  { source: web2, destination: web },
  icmpError(3, 3, about({ source: web, destination: web2 }, udp(9100, 80))),
  /^to_endpoint to web/,
);
const reply = arrivesWrapped(
  { kind: "return" },
  { source: master, destination: client1 },
  tcp(30089, 9101, "SA"),
  /^return_forwarded to /,
);

const request = arrivesWrapped(
  { kind: "overlay" },
  { source: web2, destination: web },
  tcp(9102, 80, "S"),
  /^to_endpoint to web/,
);

export const wrappedForgeries: readonly PacketTest[] = [
  {
    say: "an error about what a pod has sent to another node's pod",
    handling: translated,
    steps: [sends("web", { destination: web2 }, udp(9100, 80), /^to_overlay/), forged(error), error],
  },
  {
    say: "a reply of a connection that this node has forwarded, before and after a real one",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: master }, tcp(9101, 30089, "S"), /^forward_service/),
      forged(reply),
      reply,
      forged(reply),
      later(forged(reply)),
      later(reply),
    ],
  },
  {
    say: "what other software wraps between its pods is none of ours",
    handling: translated,
    steps: [ofOtherNetwork(request), request],
  },
];
