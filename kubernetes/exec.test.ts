import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { KubernetesError } from "./errors.ts";
import { execInPod } from "./exec.ts";
import { apiServerOf, kubeconfigOf } from "./kubeconfig.ts";

let close = () => {};
afterEach(() => close());

/** An API server that refuses to open a WebSocket, and records each request's token. */
async function refusing(status: string) {
  const asked: (string | undefined)[] = [];
  const server = createServer().on("upgrade", (request, socket) => {
    asked.push(`${request.url?.split("?")[0]} ${request.headers.authorization}`);
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  close = () => server.close();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const script = `console.log(JSON.stringify({ status: { token: String(Math.random()) } }))`;
  const config = stringify({
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { exec: { command: process.execPath, args: ["-e", script] } } }],
  });
  const run = () =>
    execInPod(apiServerOf(kubeconfigOf(config)), { namespace: "n", name: "p", container: "c" }, ["true"], () => {});
  return { asked, run, url };
}

test("a command that cannot be started is said with the pod, the server and a next step", async () => {
  const { asked, run, url } = await refusing("403 Forbidden");
  const failed = run();
  await expect(failed).rejects.toThrow(KubernetesError);
  await expect(failed).rejects.toThrow(`exec in pod n/p at ${url}: Unexpected server response: 403`);
  await expect(failed).rejects.toMatchObject({ next: expect.stringContaining("kubectl describe pod") });
  expect(asked).toHaveLength(1);
});

test("refused credentials are renewed, and the command is started once more", async () => {
  const { asked, run } = await refusing("401 Unauthorized");
  await expect(run()).rejects.toThrow("Unexpected server response: 401");
  expect(asked).toEqual([
    expect.stringMatching(/^\/api\/v1\/namespaces\/n\/pods\/p\/exec Bearer 0\./),
    expect.stringMatching(/ Bearer 0\./),
  ]);
  expect(new Set(asked).size).toBe(2);
});
