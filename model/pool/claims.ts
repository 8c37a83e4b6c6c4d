import { type Cidr, covers, hostCidr, isEverything, overlap, parseCidr, writtenLength } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import { type NodeFacts, serviceSubnetsOf } from "../node/facts.ts";
import { byAge } from "../objects/age.ts";
import type { IpamBlock, IpPool } from "../objects/calico.ts";
import type { Problem } from "../problem.ts";

/** Objects that conflict with no other owner, and the faults of the others. */
export interface Judged<T> {
  readonly accepted: readonly { readonly object: T; readonly cidr: Cidr }[];
  readonly problems: readonly Problem[];
}

/** The pools that contain no network of another owner: neither of this machine and its neighbours, nor of the services, nor of an older
 * pool. What this machine knows about itself decides, not what other nodes report about themselves. */
export function judgePools(pools: readonly IpPool[], facts: NodeFacts): Judged<IpPool> {
  const accepted: { object: IpPool; cidr: Cidr }[] = [];
  const problems: Problem[] = [];
  for (const object of [...pools].sort(byAge)) {
    const cidr = parseCidr(object.spec.cidr);
    const older = accepted.find((other) => overlap(other.cidr, cidr));
    const reason =
      takenFromMachine(cidr, facts) ?? (older && `overlaps the older IPPool ${older.object.metadata.name}'s`);
    if (reason) problems.push(refused("IPPool", object.metadata.name, cidr, reason));
    else accepted.push({ object, cidr });
  }
  return { accepted, problems };
}

/** The blocks that are in their pool and in no older block. Of a request for an address of another node, only what that node lends is in
 * force. */
export function judgeBlocks(
  blocks: readonly IpamBlock[],
  pools: Judged<IpPool>["accepted"],
  facts: NodeFacts,
): Judged<IpamBlock> {
  const poolOf = new Map(pools.map(({ object, cidr }) => [object.metadata.name, cidr]));
  const claims = blocks.filter(({ spec }) => !spec.borrows);
  const taken = new TakenBlocks(claims.map(({ spec }) => parseCidr(spec.cidr)));
  const accepted: { object: IpamBlock; cidr: Cidr }[] = [];
  const problems: Problem[] = [];
  for (const object of claims.sort(byAge)) {
    const cidr = parseCidr(object.spec.cidr);
    const reason =
      takenFromMachine(cidr, facts) ?? outside(cidr, object.spec.pool, poolOf) ?? holdsAddress(cidr, facts);
    const older = taken.overlapping(cidr);
    const text = reason ?? (older && `overlaps the older IPAMBlock ${older.metadata.name} of node ${older.spec.node}`);
    if (text) problems.push(refused("IPAMBlock", object.metadata.name, cidr, text));
    else {
      taken.add(cidr, object);
      accepted.push({ object, cidr });
    }
  }
  return { accepted, problems };
}

// Networks that this node needs in order to be reached, whatever an object says.
function takenFromMachine(cidr: Cidr, facts: NodeFacts): string | undefined {
  const { address, addressIpv6, subnets, apiServer } = facts;
  if (isEverything(cidr)) return "is the default route";
  const subnet = subnets.map(parseCidr).find((item) => covers(cidr, item));
  if (subnet) return `holds the nodes' network ${subnet.text}`;
  const own = [address, addressIpv6 ?? address].find((one) => covers(cidr, hostCidr(one)));
  if (own) return `holds the node address ${own}`;
  if (apiServer && covers(cidr, hostCidr(apiServer.address))) return `holds the API server's ${apiServer.address}`;
  const services = serviceSubnetsOf(facts).find((text) => overlap(cidr, parseCidr(text)));
  return services && `overlaps the services' network ${services}`;
}

function outside(cidr: Cidr, pool: string, poolOf: ReadonlyMap<string, Cidr>): string | undefined {
  const whole = poolOf.get(pool);
  if (!whole) return `is part of the IPPool ${pool}, which does not exist or is refused itself`;
  return covers(whole, cidr) ? undefined : `is not in its IPPool ${pool} (${whole.text})`;
}

function holdsAddress(cidr: Cidr, { localAddresses }: NodeFacts): string | undefined {
  const address = localAddresses.find((item) => covers(cidr, hostCidr(item)));
  return address && `holds this machine's address ${address}`;
}

function refused(kind: string, name: string, cidr: Cidr, reason: string): Problem {
  const message = `${cidr.text} ${reason}; nothing of this object is in force. Next: delete it.`;
  return { kind, name, path: "spec.cidr", message };
}

/** Finds overlaps at a cost that does not grow with the number of blocks, only with that of their different lengths. */
class TakenBlocks {
  readonly #blocks = new CidrIndex<IpamBlock>();
  readonly #around = new CidrIndex<IpamBlock>();
  readonly #lengths: readonly number[];

  constructor(all: readonly Cidr[]) {
    this.#lengths = [...new Set(all.map(writtenLength))];
  }

  overlapping(cidr: Cidr): IpamBlock | undefined {
    return this.#blocks.covering(cidr)[0] ?? this.#around.at(cidr);
  }

  add(cidr: Cidr, block: IpamBlock): void {
    this.#blocks.set(cidr, block);
    for (const length of this.#lengths) {
      const wider = `${cidr.address}/${length}`;
      if (length < writtenLength(cidr)) this.#around.set(parseCidr(wider), block);
    }
  }
}
