import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { RunnerFailure } from "../failure.ts";
import { applyObject, type Cluster, clusterOf } from "../kubernetes/apply.ts";
import type { Handler, Operation } from "../operation.ts";
import type { Rehearsal } from "./aws/rehearsal.ts";
import { localCommand } from "./local-command.ts";

/** The providers of a run: each Kubernetes provider resource is a cluster. */
export class Providers {
  readonly #clusters = new Map<string, Cluster>();
  readonly #folder: string;
  /** Label that marks applied objects as the stack's. */
  readonly stackLabel: string;

  constructor(folder: string, stackLabel: string) {
    this.#folder = folder;
    this.stackLabel = stackLabel;
  }

  /** The clusters in which this run has created something. */
  get used(): Cluster[] {
    return [...this.#clusters.values()].filter(({ made }) => made.size > 0);
  }

  /** Remembers a provider resource. */
  register({ name, inputs }: Operation): void {
    const { kubeconfig, context } = inputs as { kubeconfig?: string; context?: string };
    this.#clusters.set(name, this.#clusterOf(kubeconfig, context));
  }

  /** Whether the cluster of a reference can be reached. */
  knows(reference: string): boolean {
    return reference === "" || this.#clusters.has(providerName(reference));
  }

  /** The cluster of a reference (`urn::id`); without one, the cluster that kubectl would use. */
  cluster(reference: string): Cluster {
    const name = providerName(reference);
    const known = this.#clusters.get(name) ?? (reference === "" ? clusterOf() : undefined);
    if (!known) throw new RunnerFailure(`its Kubernetes provider ${name} has no kubeconfig`);
    this.#clusters.set(name, known);
    return known;
  }

  /** As in Pulumi, a kubeconfig is the content or the path of a file. */
  #clusterOf(kubeconfig: string | undefined, context: string | undefined): Cluster {
    const isPath = kubeconfig !== undefined && !kubeconfig.includes("\n") && !kubeconfig.trimStart().startsWith("{");
    if (!isPath) return clusterOf(kubeconfig, context, this.#folder);
    const path = resolve(this.#folder, kubeconfig);
    return clusterOf(readFileSync(path, "utf8"), context, dirname(path));
  }
}

/** The name at the end of a reference's URN; in a preview ids are not known. */
function providerName(reference: string): string {
  return reference.split("::").at(-2) ?? "";
}

/** Selects the handler of a type, or reports that the type is not supported here. */
export function handlerFor(type: string, providers: Providers, folder: string, rehearsal?: Rehearsal): Handler {
  if (type === "pulumi:providers:kubernetes") {
    return async (operation) => {
      providers.register(operation);
      return { id: operation.name, state: operation.inputs };
    };
  }
  if (type.startsWith("pulumi:providers:"))
    return async (operation) => ({ id: operation.name, state: operation.inputs });
  if (type.startsWith("aws:") && rehearsal) return rehearsal.handler;
  if (type.startsWith("kubernetes:")) {
    return applyObject((reference) => providers.cluster(reference), providers.stackLabel);
  }
  if (type === "command:local:Command") return localCommand(folder);
  throw new RunnerFailure(`a resource of type ${type} cannot be created without the Pulumi CLI`, {
    next: "put `pulumi` on PATH and run the same command again",
  });
}
