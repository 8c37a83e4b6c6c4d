import { type Cidr, type Family, masked } from "./address.ts";

/** A set of blocks that can be asked which of them cover another. */
export class CidrIndex<T> {
  readonly #byLength = new Map<string, { prefixLength: number; family: Family; blocks: Map<bigint, T> }>();
  #lengths: { prefixLength: number; family: Family; blocks: Map<bigint, T> }[] = [];

  set(cidr: Cidr, value: T): void {
    const id = `${cidr.family}/${cidr.prefixLength}`;
    let length = this.#byLength.get(id);
    if (!length) {
      length = { prefixLength: cidr.prefixLength, family: cidr.family, blocks: new Map() };
      this.#byLength.set(id, length);
      this.#lengths = [...this.#byLength.values()].sort((a, b) => b.prefixLength - a.prefixLength);
    }
    length.blocks.set(cidr.value, value);
  }

  /** What is stored for this very block. */
  at({ family, prefixLength, value }: Cidr): T | undefined {
    return this.#byLength.get(`${family}/${prefixLength}`)?.blocks.get(value);
  }

  /** What is stored for the blocks that contain `cidr` (itself included), the longest first. */
  covering(cidr: Cidr): T[] {
    const found: T[] = [];
    for (const { prefixLength, family, blocks } of this.#lengths) {
      if (prefixLength > cidr.prefixLength || family !== cidr.family) continue;
      const value = blocks.get(masked(cidr.value, prefixLength));
      if (value !== undefined) found.push(value);
    }
    return found;
  }
}
