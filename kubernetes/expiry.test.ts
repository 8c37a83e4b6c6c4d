import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bearer } from "./access.ts";
import { whyNotValid } from "./expiry.ts";
import { getObject } from "./get.ts";
import { ApiServer } from "./transport.ts";

const DAY = 86_400_000;
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (claims: object) => ({
  headers: { Authorization: `Bearer ${encoded({ alg: "none" })}.${encoded(claims)}.s` },
});
const noon = Date.parse("2026-11-30T12:00:00Z");

test("a client certificate says until when it is valid", () => {
  const folder = mkdtempSync(join(tmpdir(), "expiry-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, out] = ["key", "cert"].map((name) => join(folder, name)) as [string, string];
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=admin".split(" ");
  execFileSync("openssl", [...words, "-keyout", key, "-out", out], { stdio: "pipe" });
  const cert = readFileSync(out);
  expect(whyNotValid({ cert })).toBeUndefined();
  expect(whyNotValid({ cert: [cert] }, Date.now() + 3 * DAY)).toMatch(
    /^the client certificate expired at \d{4}-.*:\d\dZ$/,
  );
  expect(whyNotValid({ cert }, Date.now() - DAY)).toMatch(
    /^the client certificate is valid from .*, which this computer's clock/,
  );
  expect(whyNotValid({ cert: "no certificate" })).toBeUndefined();
});

test.each([
  ["expired", token({ exp: noon / 1000 - 1 }), "the token expired at 2026-11-30T11:59:59Z"],
  ["not valid yet", token({ nbf: noon / 1000 + 60 }), "the token is valid from 2026-11-30T12:01:00Z on, which"],
  ["valid", token({ nbf: noon / 1000 - 60, exp: noon / 1000 + 60 }), undefined],
  ["without times", token({ sub: "x" }), undefined],
  ["with another kind of time", token({ exp: "yesterday" }), undefined],
  ["expired before there were dates", token({ exp: -1e300 }), "the token expired at a time long ago"],
  ["no claims", { headers: { Authorization: "Bearer a.b.c" } }, undefined],
  ["no web token", { headers: { Authorization: "Bearer kubeadm.secret" } }, undefined],
  ["no token", {}, undefined],
])("a token that is %s", (_, options, said) => {
  const found = whyNotValid(options, noon);
  if (said === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(said);
});

test("a refusal of an expired token says so, beside the API server's own word", async () => {
  const server = createServer((_, response) => response.writeHead(401).end('{"message":"Unauthorized"}'));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sent = bearer(url, `${encoded({})}.${encoded({ exp: 1 })}.s`, {});
  await expect(getObject(new ApiServer(sent), "/version")).rejects.toMatchObject({
    words: "Unauthorized: the token expired at 1970-01-01T00:00:01Z",
    next: expect.stringContaining("renew the credentials"),
  });
});
