import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { RunnerFailure } from "../failure.ts";
import { applyObject, type Cluster, clusterOf } from "../kubernetes/apply.ts";
import type { Handler, Operation } from "../operation.ts";
import { localCommand } from "./local-command.ts";

/** The providers of a run: each Kubernetes provider resource is a cluster. */
export class Providers {
  readonly #clusters = new Map<string, Cluster>();
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Remembers a provider resource; its id is its name, which references end with. */
  register({ name, inputs }: Operation): string {
    const { kubeconfig, context } = inputs as { kubeconfig?: string; context?: string };
    this.#clusters.set(name, clusterOf(kubeconfig === undefined ? undefined : this.#content(kubeconfig), context));
    return name;
  }

  /** The cluster of a provider reference; the default one is what kubectl would use. */
  cluster(reference: string): Cluster {
    const name = reference.split("::").at(-1) ?? "";
    const known = this.#clusters.get(name) ?? clusterOf();
    this.#clusters.set(name, known);
    return known;
  }

  /** As in Pulumi, a kubeconfig is its content or the path of a file. */
  #content(kubeconfig: string): string {
    const isPath = !kubeconfig.includes("\n") && !kubeconfig.trimStart().startsWith("{");
    if (!isPath) return kubeconfig;
    return readFileSync(resolve(this.#folder, kubeconfig), "utf8");
  }
}

/** Picks the handler of a type, or says what cannot be done here. */
export function handlerFor(type: string, providers: Providers, folder: string): Handler {
  if (type === "pulumi:providers:kubernetes") {
    return async (operation) => ({ id: providers.register(operation), state: operation.inputs });
  }
  if (type.startsWith("pulumi:providers:"))
    return async (operation) => ({ id: operation.name, state: operation.inputs });
  if (type.startsWith("kubernetes:")) return applyObject((reference) => providers.cluster(reference));
  if (type === "command:local:Command") return localCommand(folder);
  throw new RunnerFailure(`a resource of type ${type} cannot be made without the Pulumi CLI`, {
    next: "put `pulumi` on PATH and run the same command again",
  });
}
