/** What may be given up to make room. */
export interface Weighed {
  readonly namespace: string;
  readonly owner: string;
  readonly weight: number;
}

/** Whichever namespace takes most gives first, its heaviest item. Small namespaces keep theirs, whatever the large one does. */
export function heaviestFirst<Item extends Weighed>(items: readonly Item[]): Item[] {
  const namespaces = [...Map.groupBy(items, ({ namespace }) => namespace).values()].map((members) => {
    const sorted = members.sort((a, b) => b.weight - a.weight || (a.owner < b.owner ? -1 : 1));
    // Each of them stands where its namespace stands with it and all that are lighter.
    let total = sorted.reduce((sum, { weight }) => sum + weight, 0);
    return sorted.map((item) => {
      const place = { item, total };
      total -= item.weight;
      return place;
    });
  });
  return namespaces
    .flat()
    .sort((a, b) => b.total - a.total || (a.item.owner < b.item.owner ? -1 : 1))
    .map(({ item }) => item);
}
