import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createRawServer } from "node:net";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { type Access, anonymous } from "./access.ts";
import { createObject } from "./create.ts";
import { deleteObject } from "./delete.ts";
import { ApiRefusal, ApiUnreachable, isAway, KubernetesError, reasonOf, UnusableKubeconfig } from "./errors.ts";
import { findObject, getObject, listObjects } from "./get.ts";
import { refusingPort } from "./testing/refusing-port.ts";
import { ApiServer } from "./transport.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let stop = () => {};
afterEach(() => stop());

/** A server that answers each request so. @param answerMs silence that is waited for */
async function serving(answer: Answer, answerMs?: number, path = "", access: Partial<Access> = {}) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stop = () => {
    server.closeAllConnections();
    server.close();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, server, api: new ApiServer({ ...anonymous(url + path), ...access }, answerMs) };
}

const html = "<html><head><title>502 Bad Gateway</title><style>b { }</style></head><body>no  way\n</body></html>";
const status = JSON.stringify({ kind: "Status", reason: "Forbidden", message: "nodes is forbidden", code: 403 });

/** Everything that can go wrong with one answer. */
const answers = fc.record({
  code: fc.integer({ min: 300, max: 599 }),
  body: fc.oneof(fc.constantFrom("", html, status, status.slice(0, 20), "null", "[]", "7", '"no"'), fc.string()),
  ends: fc.constantFrom("well", "cut before", "cut after the head", "cut in the middle"),
  retryAfter: fc.option(fc.oneof(fc.nat().map(String), fc.string(), fc.constant(new Date().toUTCString())), {
    nil: undefined,
  }),
});

test("every unsuccessful answer becomes a KubernetesError that names the server and the request", async () => {
  let now: typeof answers extends fc.Arbitrary<infer T> ? T : never;
  const { api, url } = await serving((_, response) => {
    const { code, body, ends, retryAfter } = now;
    if (ends === "cut before") return void response.destroy();
    const length = Buffer.byteLength(body) + (ends === "well" ? 0 : 10);
    const value = retryAfter?.replace(/[^\x20-\x7e]/g, "");
    response.writeHead(code, { "Content-Length": length, ...(value && { "Retry-After": value }) });
    if (ends === "cut after the head") response.flushHeaders();
    else response.write(body);
    if (ends === "well") response.end();
    else setImmediate(() => response.destroy());
  });
  await fc.assert(
    fc.asyncProperty(answers, async (wanted) => {
      now = wanted;
      const error = await getObject(api, "/api/v1/nodes").then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(KubernetesError);
      const { message } = error as KubernetesError;
      expect(message).toContain(url);
      expect(message).toMatch(/GET .*\/api\/v1\/nodes/);
      if (wanted.ends !== "well" && wanted.code !== 304) expect(error).toBeInstanceOf(ApiUnreachable);
      else if (wanted.code !== 304) expect(error).toMatchObject({ status: wanted.code });
      expect(reasonOf(error)).not.toBe("");
    }),
    { numRuns: 200 },
  );
});

test("a server that never answers is unreachable once the silence is over", async () => {
  const { api, url } = await serving(() => {}, 50);
  const error = await getObject(api, "/api/v1/nodes").then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ApiUnreachable);
  expect((error as ApiUnreachable).message).toContain(url);
});

test.each([
  ["", "the answer is empty"],
  [html, "the answer does not come from an API server: <html><head><title>502"],
  ['{"items": [', "the answer does not come from an API server"],
])("a success without an object counts as no answer: %j", async (body, why) => {
  const { api } = await serving((_, response) => response.end(body));
  await expect(getObject(api, "/version")).rejects.toThrow(ApiUnreachable);
  await expect(getObject(api, "/version")).rejects.toThrow(why);
});

test.each([
  [
    403,
    status,
    { reason: "Forbidden", words: "nodes is forbidden", next: expect.stringContaining("permission") },
    false,
  ],
  [401, "", { words: "Unauthorized", next: expect.stringContaining("renew the credentials") }, false],
  [502, html, { reason: "", words: "502 Bad Gateway no way" }, true],
  [429, "slowly", { words: "slowly", retryAfterMs: 3000 }, true],
  [503, '{"details":{"retryAfterSeconds":7}}', { retryAfterMs: 3000 }, true],
  [599, "", { words: "HTTP status 599" }, true],
])("the refusal %i with %j", async (code, body, fields, away) => {
  const { api } = await serving((_, response) => response.writeHead(code, { "Retry-After": "3" }).end(body));
  const error = await getObject(api, "/api/v1/nodes").catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ApiRefusal);
  expect(error).toMatchObject({ status: code, ...fields });
  expect(isAway(error)).toBe(away);
});

test("an answer is quoted without terminal control sequences, and a long one only in part", async () => {
  const answer = { body: JSON.stringify({ message: "no\u001b[31m\u009b way" }) };
  const { api } = await serving((_, response) => response.writeHead(500).end(answer.body));
  await expect(getObject(api, "/version")).rejects.toMatchObject({ words: "no [31m  way" });
  answer.body = "\u001b]0;title\u0007no";
  await expect(getObject(api, "/version")).rejects.toMatchObject({ words: "]0;title no" });
  stop();
  let written = 0;
  const endless = await serving((_, response) => {
    response.writeHead(500);
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536))) written++;
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  await expect(getObject(endless.api, "/version")).rejects.toMatchObject({ status: 500 });
  expect(written).toBeLessThan(1000);
});

test("a server that does not run, and a name that does not resolve, are reported with a next step", async () => {
  const { port, close } = await refusingPort();
  stop = close;
  const url = `http://127.0.0.1:${port}`;
  const refused = getObject(new ApiServer(anonymous(url)), "/version");
  await expect(refused).rejects.toThrow(`the API server ${url} does not answer GET /version: connect ECONNREFUSED`);
  await expect(refused).rejects.toMatchObject({
    next: expect.stringContaining("check that the API server is running"),
  });
  const unknown = getObject(new ApiServer(anonymous("https://api.invalid:6443")), "/version");
  await expect(unknown).rejects.toMatchObject({ next: expect.stringContaining("DNS") });
});

test("a missing object is none; a missing list has no objects", async () => {
  const { api } = await serving((request, response) => {
    if (request.url === "/list") response.end('{"items":null}');
    else response.writeHead(404).end('{"message":"not found"}');
  });
  expect(await findObject(api, "/one")).toBeUndefined();
  expect(await listObjects(api, "/list")).toEqual([]);
  await expect(deleteObject(api, "/one")).rejects.toMatchObject({ status: 404 });
});

test("the path of the server's URL stays, as behind Rancher", async () => {
  const { api } = await serving(
    (request, response) => response.end(JSON.stringify(request.url)),
    undefined,
    "/k8s/c-1/",
  );
  expect(await getObject(api, "/version", { limit: "1" })).toBe("/k8s/c-1/version?limit=1");
});

test("a connection is kept for the next request, but not for long", async () => {
  const connections = new Set<number | undefined>();
  const { api } = await serving((request, response) => {
    connections.add(request.socket.remotePort);
    response.end("{}");
  });
  await getObject(api, "/a");
  await createObject(api, "/b", {});
  expect(connections.size).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 4_300));
  await getObject(api, "/c");
  expect(connections.size).toBe(2);
});

test("a kept connection that the server closes under a request is no failure: it is sent once more", async () => {
  // By hand, since Node's server answers what has come before it closes: the second request on a connection is cut.
  let seen = 0;
  const server = createRawServer((socket) => {
    let requests = 0;
    socket
      .on("error", () => {})
      .on("data", () => {
        seen++;
        if (++requests > 1) socket.resetAndDestroy();
        else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stop = () => server.close();
  const api = new ApiServer(anonymous(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  for (let request = 0; request < 5; request++) expect(await getObject(api, "/version")).toEqual({});
  expect(seen).toBe(1 + 2 + 1 + 2 + 1);
  // It is unknown whether it was created.
  await expect(createObject(api, "/pods", {})).rejects.toThrow(ApiUnreachable);
  expect(seen).toBe(8);
});

test("a request that is aborted rejects with the signal's reason, before and in the middle of the answer", async () => {
  const { api } = await serving((request, response) => {
    if (request.url === "/begun") response.write("{");
  });
  for (const path of ["/silent", "/begun"]) {
    const stopping = new AbortController();
    const asked = getObject(api, path, {}, stopping.signal);
    setTimeout(() => stopping.abort(new Error("enough")), 50);
    await expect(asked).rejects.toThrow("enough");
  }
});

test("refused credentials are renewed once; without a source of new ones the request fails", async () => {
  let asked = 0;
  const refuse: Answer = (_, response) => {
    asked++;
    response.writeHead(401).end();
  };
  const { api } = await serving(refuse, undefined, "", { renew: () => {} });
  await expect(getObject(api, "/version")).rejects.toMatchObject({ status: 401 });
  expect(asked).toBe(2);
  stop();
  const other = await serving(refuse);
  await expect(getObject(other.api, "/version")).rejects.toMatchObject({ status: 401 });
  expect(asked).toBe(3);
});

test("what does not speak TLS, and no list of objects, are no API server", async () => {
  const { server, api } = await serving((_, response) => response.end("{}"));
  await expect(listObjects(api, "/api/v1/nodes")).rejects.toThrow("the answer is no list of objects");
  const secured = new ApiServer(anonymous(`https://127.0.0.1:${(server.address() as AddressInfo).port}`));
  await expect(getObject(secured, "/version")).rejects.toMatchObject({
    message: expect.stringMatching(/does not answer GET \/version: what answers there does not speak TLS$/),
    next: expect.stringContaining("may be no API server"),
  });
});

test("a page that nobody expects names the kubeconfig's server as the next step", async () => {
  const { api } = await serving((_, response) => response.writeHead(404).end("not found"));
  await expect(getObject(api, "/version")).rejects.toMatchObject({
    status: 404,
    next: expect.stringContaining("check server in the kubeconfig"),
  });
});

test("a certificate that is none is a fault of the kubeconfig", async () => {
  const options = async () => ({ cert: "no", key: "no" });
  const api = new ApiServer({ ...anonymous("https://127.0.0.1:1"), options });
  await expect(getObject(api, "/version")).rejects.toThrow(UnusableKubeconfig);
  await expect(getObject(api, "/version")).rejects.toThrow("a certificate or key in the kubeconfig for https://127.0");
});
