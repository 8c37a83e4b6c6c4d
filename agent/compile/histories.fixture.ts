// Random histories of a cluster: a compiler that has followed one says what a compiler that starts now says.
import fc from "fast-check";
import { expect, vi } from "vitest";
import { DerivedList } from "../../model/derived-list.ts";
import type { Steps } from "../../model/steps.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { Compiler } from "./compile.ts";
import type { NodeLimits } from "./limits.ts";
import { mapsInWords } from "./maps-in-words.fixture.ts";
import { saidBy } from "./said-by.fixture.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

/** One object takes another form, or none. */
export interface Change<Kind extends string> {
  readonly kind: Kind;
  readonly object: number;
  readonly form: number;
}

/** Objects, each in one of its forms. One whose form is not among them does not exist. */
export class Forms<Kind extends string> {
  readonly #kinds: Readonly<Record<Kind, readonly (readonly object[])[]>>;
  readonly #now: Record<Kind, number[]>;

  constructor(kinds: Readonly<Record<Kind, readonly (readonly object[])[]>>) {
    this.#kinds = kinds;
    const forms = Object.entries<readonly unknown[]>(kinds).map(([kind, objects]) => [kind, objects.map(() => 0)]);
    this.#now = Object.fromEntries(forms);
  }

  apply({ kind, object, form }: Change<Kind>): void {
    this.#now[kind][object] = form;
  }

  list(kind: Kind): object[] {
    return this.#now[kind].flatMap((form, at) => this.#kinds[kind][at]?.[form] ?? []);
  }
}

/** A compiler that goes on, with its maps. */
export class Following {
  readonly #limits: NodeLimits | undefined;
  readonly #compiler: Compiler;
  readonly #maps = memoryMaps();
  readonly #reconciler = new Reconciler(this.#maps);

  constructor(limits?: NodeLimits) {
    this.#limits = limits;
    this.#compiler = new Compiler(limits);
  }

  /** Expects state and maps to be those of a compilation from nothing, and gives both states. */
  compile(snapshot: ClusterSnapshot) {
    const state = this.#compiler.compile(snapshot);
    const anew = new Compiler(this.#limits).compile(snapshot);
    expect(saidBy(state)).toEqual(saidBy(anew));
    this.#reconciler.sync(state.maps);
    const fresh = memoryMaps();
    new Reconciler(fresh).sync(anew.maps);
    expect(mapsInWords(this.#maps)).toEqual(mapsInWords(fresh));
    return { state, anew };
  }
}

/** What items of a list depend on beside themselves and the whole list is forgotten. */
export function forgetOthers() {
  const { deriving } = DerivedList.prototype;
  return vi.spyOn(DerivedList.prototype, "deriving").mockImplementation(function (this: never, items, inputs, make) {
    return deriving.call(this, items, inputs, make, undefined) as never;
  });
}

/** Whatever changed, the first answer stays. */
export function forgetChanges<Name extends string>(
  prototype: Readonly<Record<Name, (...inputs: never[]) => Steps<unknown>>>,
  name: Name,
) {
  const original = prototype[name];
  const first = new WeakMap<object, unknown>();
  return vi.spyOn(prototype, name as never).mockImplementation(function* (this: never, ...inputs: never[]) {
    const known = first.get(this) ?? (yield* original.apply(this, inputs));
    first.set(this, known as object);
    return known;
  } as never);
}

/** Expects histories to show that something is forgotten. */
export function expectNoticed<T>(
  property: () => fc.IRawProperty<T>,
  forget: () => { mockRestore(): void },
  numRuns: number,
): void {
  const forgetful = forget();
  try {
    expect((fc.check(property(), { numRuns, endOnFailure: true }) as fc.RunDetails<T>).failed).toBe(true);
  } finally {
    forgetful.mockRestore();
  }
}
