/** A part of an object that cannot be put into effect, for people: log line, Event, status. */
export interface Problem {
  readonly kind: string;
  /** API group, where Kubernetes has a kind of the same name: "projectcalico.org" of a NetworkPolicy. */
  readonly group?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name: string;
  /** The field: "spec.ports[1].protocol". */
  readonly path: string;
  /** What is wrong, what is allowed and what happens instead. */
  readonly message: string;
}
