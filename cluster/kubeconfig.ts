import { ApiException, type KubeConfig } from "@kubernetes/client-node";
import { kubeconfigOf } from "../verify/cluster/kubeconfig.ts";
import { ClusterFailure } from "./failure.ts";

/** Reads a kubeconfig's content. */
export function readKubeconfig(content: string): KubeConfig {
  let config: KubeConfig;
  try {
    config = kubeconfigOf(content);
  } catch (error) {
    throw new ClusterFailure(
      `the kubeconfig cannot be read: ${(error as Error).message}`,
      "give the content that kubectl config view --raw --minify prints",
    );
  }
  if (config.getCurrentCluster()) return config;
  throw new ClusterFailure("the kubeconfig has no current cluster", "set current-context in it");
}

/** What the API server said, or why it said nothing, in one line. */
export function apiWords(error: unknown): string {
  if (!(error instanceof ApiException))
    return error instanceof Error ? (deepest(error).message ?? error.name) : String(error);
  const body = typeof error.body === "string" ? parse(error.body) : error.body;
  return (
    (body as { message?: string } | undefined)?.message ??
    (/^Message: (.+)$/m.exec(error.message)?.[1] || `HTTP status ${error.code}`)
  );
}

/** Whether the API server answered at all. */
export const isAnswer = (error: unknown): boolean => error instanceof ApiException;

export const isNotFound = (error: unknown): boolean => error instanceof ApiException && error.code === 404;

/** A failed connection is told by what it was caused by. */
function deepest(error: Error): Error {
  const cause = error instanceof AggregateError ? error.errors[0] : error.cause;
  return cause instanceof Error ? deepest(cause) : error;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.trim() };
  }
}
