import type { NetworkDevice } from "../network/devices.ts";
import { ipBatch, ipIn } from "../network/ip-command.ts";
import type { Endpoint } from "./endpoint-store.ts";

type Pair = Pick<Endpoint, "hostInterface" | "ifname" | "netns">;

/** How many namespaces are entered at the same time. */
const AT_ONCE = 8;

/** Gives this MTU to the pairs that have another one, at both ends. The pod's end decides the size of what the pod sends, and never has
 * the larger MTU of the two: otherwise the kernel would drop packets between the two ends silently. A pod whose namespace cannot be
 * entered (it is ending) keeps its MTU. @returns how many pairs have changed */
export async function followMtu(
  pairs: readonly Pair[],
  devices: readonly NetworkDevice[],
  mtu: number,
): Promise<number> {
  const present = new Map(devices.map((device) => [device.name, device.mtu]));
  const mtuOf = ({ hostInterface }: Pair) => present.get(hostInterface) ?? mtu;
  const larger = pairs.filter((pair) => mtuOf(pair) > mtu);
  const smaller = pairs.filter((pair) => mtuOf(pair) < mtu);
  setHostEnds(smaller, () => mtu);
  const changed = await setPodEnds([...larger, ...smaller], mtu);
  setHostEnds(
    larger.filter((pair) => changed.has(pair)),
    () => mtu,
  );
  setHostEnds(
    smaller.filter((pair) => !changed.has(pair)),
    mtuOf,
  ); // so that it is tried again
  return changed.size;
}

function setHostEnds(pairs: readonly Pair[], mtuOf: (pair: Pair) => number): void {
  try {
    ipBatch(pairs.map((pair) => `link set dev ${pair.hostInterface} mtu ${mtuOf(pair)}`));
  } catch {
    // A pod that has just ended cannot be changed. The other pods are changed, and the next look finds what remains.
  }
}

async function setPodEnds(pairs: readonly Pair[], mtu: number): Promise<ReadonlySet<Pair>> {
  const changed = new Set<Pair>();
  const waiting = pairs.values();
  const work = async () => {
    for (const pair of waiting)
      await ipIn(pair.netns, "link", "set", "dev", pair.ifname, "mtu", `${mtu}`).then(
        () => changed.add(pair),
        () => undefined,
      );
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return changed;
}
