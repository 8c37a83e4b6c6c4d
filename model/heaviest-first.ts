/** An item that may be dropped to make room. */
export interface Weighed {
  readonly namespace: string;
  readonly owner: string;
  readonly weight: number;
}

/** The namespace that takes most drops first, its heaviest item. Small namespaces keep theirs, whatever the large one does. */
export function heaviestFirst<Item extends Weighed>(items: readonly Item[]): Item[] {
  const namespaces = [...Map.groupBy(items, ({ namespace }) => namespace).values()].map((members) => {
    const sorted = members.sort((a, b) => b.weight - a.weight || (a.owner < b.owner ? -1 : 1));
    // An item's place is given by the total of its namespace: of this item and all lighter ones.
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
