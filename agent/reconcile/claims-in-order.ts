/** One owner's value for a key. */
export interface Claim<V> {
  readonly owner: string;
  readonly value: V;
}

/** Puts claims on one key in order: by preference, then by the names of their owners. Thousands of services may share one backend, so a
 * place is found by binary search. */
export class ClaimOrder<V> {
  readonly #prefer: (a: V, b: V) => number;

  constructor(prefer: (a: V, b: V) => number) {
    this.#prefer = prefer;
  }

  add(claims: Claim<V>[], claim: Claim<V>): void {
    claims.splice(this.#placeOf(claim, claims), 0, claim);
  }

  /** Removes one claim of this owner with this value, if there is one. */
  remove(claims: Claim<V>[], claim: Claim<V>): void {
    const place = this.#placeOf(claim, claims);
    if (claims[place]?.owner === claim.owner) claims.splice(place, 1);
  }

  #placeOf({ owner, value }: Claim<V>, claims: readonly Claim<V>[]): number {
    let [first, end] = [0, claims.length];
    while (first < end) {
      const middle = (first + end) >> 1;
      const other = claims[middle] as Claim<V>;
      const order = this.#prefer(other.value, value) || (other.owner < owner ? -1 : 1);
      if (order < 0) first = middle + 1;
      else end = middle;
    }
    return first;
  }
}
