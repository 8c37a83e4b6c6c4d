import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createPlainServer } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { awaitControlPlane } from "./await-control-plane.ts";

const folder = mkdtempSync(join(tmpdir(), "control-plane-"));
let server: Server;
let answers: string[];

beforeAll(async () => {
  const [key, cert] = [join(folder, "key"), join(folder, "cert")];
  const words = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    key,
    "-out",
    cert,
    "-subj",
    "/CN=c",
    "-days",
    "1",
  ];
  execFileSync("openssl", words, { stdio: "ignore" });
  server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
    response.end(answers.length > 1 ? answers.shift() : answers[0]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const place = () => ({
  host: "127.0.0.1",
  port: (server.address() as AddressInfo).port,
  adminCidrs: ["203.0.113.7/32"],
  seconds: 600,
});
const quickly = { now: () => performance.now(), sleep: async () => {} };

test("waits for the mark, not for an answer", async () => {
  answers = ["{}", '{"kind":"ConfigMap"}', '{"metadata":{"annotations":{"ebpf-dataplane.io/published":"true"}}}'];
  const said: string[] = [];
  await awaitControlPlane(place(), (line) => said.push(line), quickly);
  expect(said).toEqual(["waiting: the API server answers, kubeadm is still running"]);
  expect(answers).toHaveLength(1);
});

test("a failure names the reason and the next step", async () => {
  answers = ["{}"];
  await expect(awaitControlPlane({ ...place(), seconds: 0 }, () => {}, quickly)).rejects.toThrow(
    /did not come up within 0 min: the API server answers/,
  );
});

test("a failed bootstrap reports its reason on the API server's port", async () => {
  const bootstrap = createPlainServer((_, response) => response.writeHead(503).end("it runs Linux 5.10\u001b[31m"));
  await new Promise<void>((resolve) => bootstrap.listen(0, "127.0.0.1", resolve));
  const { port } = bootstrap.address() as AddressInfo;
  await expect(awaitControlPlane({ ...place(), port }, () => {}, quickly)).rejects.toThrow(
    `the control plane at 127.0.0.1:${port} reports that it cannot be created: it runs Linux 5.10 [31m`,
  );
  bootstrap.close();
});
