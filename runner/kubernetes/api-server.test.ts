import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { ApiServer } from "./api-server.ts";

test("a plugin's credential that is refused is asked for once more", async () => {
  const folder = mkdtempSync(join(tmpdir(), "api-server-"));
  const calls = join(folder, "calls");
  const tokens: string[] = [];
  const accepted = new Set(["t1"]);
  const server = createServer((request, response) => {
    const token = String(request.headers.authorization).replace("Bearer ", "");
    tokens.push(token);
    response.writeHead(accepted.has(token) ? 200 : 401).end('{"message":"Unauthorized"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const script = `
      require("node:fs").appendFileSync(${JSON.stringify(calls)}, "x");
      const token = "t" + require("node:fs").readFileSync(${JSON.stringify(calls)}, "utf8").length;
      console.log(JSON.stringify({ kind: "ExecCredential", status: { token } }));`;
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args: ["-e", script] };
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const api = new ApiServer(
      stringify({
        "current-context": "c",
        contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
        clusters: [{ name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } }],
        users: [{ name: "u", user: { exec } }],
      }),
    );
    await api.send("GET", "/version");
    accepted.clear();
    accepted.add("t2");
    await api.send("GET", "/version");
    expect(tokens).toEqual(["t1", "t1", "t2"]);
    accepted.clear();
    await expect(api.send("GET", "/version")).rejects.toThrow("Unauthorized");
    expect(readFileSync(calls, "utf8")).toBe("xxx");
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
