import type { CapturedPacket } from "../../probe/capture.ts";
import type { Leg, Place } from "../../report/results/topology.ts";

/** Packets captured at one place. */
export interface Witnessed {
  place: Place;
  packets: CapturedPacket[];
}

/** Inside a node, between its pods and its uplinks: our interfaces, whose packets do not travel to another machine. */
const innerDevice = /^ebpf/;

/**
 * The legs of one TCP connection's first packet and of the answer to it, in the order in which they travelled. A packet that
 * left one machine and arrived at another as it was is a leg between them; a pod's own capture tells those between it and
 * its node.
 *
 * @param opening the number that its two first packets carry wherever they pass
 */
export function legsOf(witnessed: Witnessed[], opening: number): Leg[] {
  return (["request", "reply"] as const).flatMap((direction) => {
    const own = witnessed.map(({ place, packets }) => ({
      place,
      packets: packets.filter(
        (packet) =>
          packet.opening?.number === opening &&
          packet.opening.answer === (direction === "reply") &&
          !innerDevice.test(packet.device),
      ),
    }));
    const legs = own.flatMap(({ place, packets }) =>
      place.role === "pod" ? podLegs(direction, place, packets) : machineLegs(direction, place, packets, own),
    );
    return inOrder(legs, startOf(direction, witnessed));
  });
}

function podLegs(direction: Leg["direction"], pod: Place, packets: CapturedPacket[]): Leg[] {
  const node = pod.on ?? "";
  const [from, to, way] = direction === "request" ? [node, pod.name, "in"] : [pod.name, node, "out"];
  const seen = packets.find((packet) => packet.direction === way);
  return seen ? [legOf(direction, from, to, seen)] : [];
}

/** A packet that left this machine and arrived at another one with the same addresses. */
function machineLegs(direction: Leg["direction"], from: Place, packets: CapturedPacket[], all: Witnessed[]): Leg[] {
  const machines = all.filter(({ place }) => place.role !== "pod" && place !== from);
  return machines.flatMap(({ place: to, packets: there }) => {
    const left = packets.find(
      (packet) =>
        packet.direction === "out" &&
        there.some((other) => other.direction === "in" && addressesOf(other) === addressesOf(packet)),
    );
    return left ? [legOf(direction, from.name, to.name, left)] : [];
  });
}

const addressesOf = ({ source, sourcePort, destination, destinationPort, wrapped }: CapturedPacket): string =>
  JSON.stringify([source, sourcePort, destination, destinationPort, wrapped?.source, wrapped?.destination]);

function legOf(direction: Leg["direction"], from: string, to: string, packet: CapturedPacket): Leg {
  const { source, sourcePort, destination, destinationPort, wrapped, text } = packet;
  return {
    direction,
    from,
    to,
    source: endpoint(source, sourcePort),
    destination: endpoint(destination, destinationPort),
    ...(wrapped && { wrapped }),
    evidence: text,
  };
}

const endpoint = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

function startOf(direction: Leg["direction"], witnessed: Witnessed[]): string | undefined {
  const role = direction === "request" ? "client" : "pod";
  return witnessed.find(({ place }) => place.role === role)?.place.name;
}

/** Each leg after the one that ends where it begins; unconnected legs come last. */
function inOrder(legs: Leg[], start: string | undefined): Leg[] {
  const rest = [...legs];
  const ordered: Leg[] = [];
  for (let at = start; at !== undefined; ) {
    const next = rest.findIndex(({ from }) => from === at);
    const [leg] = next < 0 ? [] : rest.splice(next, 1);
    if (leg) ordered.push(leg);
    at = leg?.to;
  }
  return [...ordered, ...rest];
}
