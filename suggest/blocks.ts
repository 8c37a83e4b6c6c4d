import { type Cidr, covers, overlap, parseCidr, writtenLength } from "../model/address/address.ts";

/** An ipBlock, and the addresses or blocks of the log that it stands for. */
export interface Block {
  readonly cidr: string;
  /** Pools of pods inside it: pods have rules of their own. */
  readonly except: readonly string[];
  readonly standsFor: readonly string[];
}

/** As many addresses of one network become that network. */
const MANY = 9;
const NETWORK = { IPv4: 24, IPv6: 64 } as const;

/** Addresses outside the cluster as few blocks: each as it is; of very many in one network (/24, /64) the network. */
export function blocksOf(written: Iterable<string>, pools: readonly string[]): Block[] {
  const all = outermost([...new Set(written)].map(parseCidr));
  const networks = Map.groupBy(all, (cidr) => networkOf(cidr)?.text ?? cidr.text);
  const blocks = [...networks].flatMap(([network, members]): { cidr: Cidr; standsFor: readonly string[] }[] =>
    members.length < MANY
      ? members.map((cidr) => ({ cidr, standsFor: [cidr.text] }))
      : [{ cidr: parseCidr(network), standsFor: members.map(({ text }) => text) }],
  );
  return blocks
    .map(({ cidr, standsFor }) => ({ cidr: cidr.text, except: except(cidr, pools.map(parseCidr)), standsFor }))
    .sort((a, b) => (a.cidr < b.cidr ? -1 : 1));
}

/** Without those that are inside another one. */
function outermost(all: readonly Cidr[]): readonly Cidr[] {
  return all.filter((one) => !all.some((other) => other.text !== one.text && covers(other, one)));
}

function networkOf(cidr: Cidr): Cidr | undefined {
  const length = NETWORK[cidr.family];
  return writtenLength(cidr) < length ? undefined : parseCidr(`${cidr.address}/${length}`);
}

function except(cidr: Cidr, pools: readonly Cidr[]): string[] {
  return outermost(pools.filter((pool) => overlap(cidr, pool) && covers(cidr, pool) && pool.text !== cidr.text)).map(
    ({ text }) => text,
  );
}
