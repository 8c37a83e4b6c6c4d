import type { ServerResponse } from "node:http";
import type { HealthCheck } from "../../model/service/health-check.ts";

/** Names the program that answers: other software may look for kube-proxy at the same port. */
export const SERVER = "ebpf-dataplane";

/** What kube-proxy answers at a Service's health check port: 200 if the node has ready endpoints, otherwise 503. */
export function answerService(response: ServerResponse, check: HealthCheck, isHealthy: boolean): void {
  const { namespace, name, localEndpoints } = check;
  const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: isHealthy };
  const weight = { "X-Load-Balancing-Endpoint-Weight": String(localEndpoints) };
  answer(response, localEndpoints > 0 && isHealthy, body, weight);
}

/** A node as load balancers see it. */
export interface ProxyState {
  /** Whether no change has been waiting for too long. */
  readonly isHealthy: boolean;
  readonly leaving: boolean;
  /** When the kernel last had the cluster's state. */
  readonly lastUpdated: Date;
}

/** What kube-proxy answers at its own port. `/healthz` (KEP-3836): whether new connections should come; 503 also while the
 * node is being deleted. `/livez`: whether the kernel has the cluster's state. */
export function answerProxy(
  url: string,
  response: ServerResponse,
  { isHealthy, leaving, lastUpdated }: ProxyState,
): void {
  const now = new Date();
  const times = (healthy: boolean) => ({ lastUpdated: healthy ? now : lastUpdated, currentTime: now });
  const eligible = isHealthy && !leaving;
  const [path] = url.split("?");
  if (path === "/healthz") answer(response, eligible, { ...times(eligible), nodeEligible: !leaving });
  else if (path === "/livez") answer(response, isHealthy, times(isHealthy));
  else response.writeHead(404, { Server: SERVER }).end("Available: /healthz and /livez.\n");
}

function answer(response: ServerResponse, isGood: boolean, body: object, more: Record<string, string> = {}): void {
  const headers = { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff", Server: SERVER, ...more };
  response.writeHead(isGood ? 200 : 503, headers).end(JSON.stringify(body));
}
