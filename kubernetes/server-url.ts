import { UnusableKubeconfig } from "./errors.ts";
import { printable } from "./refusal.ts";

/** @returns the address of a kubeconfig's API server. @throws UnusableKubeconfig if it is none */
export function requireServerUrl(server: unknown): string {
  if (typeof server === "string" && /^https?:$/.test(URL.parse(server)?.protocol ?? "")) return server;
  throw new UnusableKubeconfig(`the kubeconfig's server "${printable(String(server ?? ""))}" is no URL`, {
    next: "write it as https://HOST:PORT",
  });
}
