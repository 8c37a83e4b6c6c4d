import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import type { Snapshot } from "./flow-map.ts";
import { type ServedPage, servePage } from "./serve.ts";

const snapshot: Snapshot = { title: "2 nodes", edges: [], flows: [], drops: [], forgotten: 0 };
let served: ServedPage | undefined;
afterEach(() => served?.close());

interface Answer {
  status: number | undefined;
  type: string | undefined;
  policy: string;
}

/** The head of an answer; of what is asked at another address than the page's, or by another name or method. */
function ask(url: string, options: { host?: string; method?: string } = {}): Promise<Answer> {
  const { host, method = "GET" } = options;
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers: host ? { host } : {} }, (response) => {
      const { statusCode: status, headers } = response;
      resolve({ status, type: headers["content-type"], policy: String(headers["content-security-policy"]) });
      response.destroy();
    });
    asked.on("error", reject).end();
  });
}

test("the page and its events are there for who knows the address, with a policy that lets nothing else in", async () => {
  served = await servePage(0, () => snapshot);
  const page = await ask(served.url);
  expect(page).toMatchObject({ status: 200, type: "text/html; charset=utf-8" });
  expect(page.policy).toMatch(
    /^default-src 'none';.*script-src 'sha256-[^']+'; connect-src 'self';.*frame-ancestors 'none'$/,
  );
  expect(page.policy).not.toContain("unsafe");
  expect(await ask(`${served.url}events`)).toMatchObject({ status: 200, type: "text/event-stream" });
});

test("nothing is said without the token, under another name, or to another method", async () => {
  served = await servePage(0, () => snapshot);
  const { origin, pathname, port } = new URL(served.url);
  const statuses = await Promise.all([
    ask(`${origin}/`),
    ask(`${origin}/events`),
    ask(`${origin}${pathname.slice(0, -2)}x/events`),
    ask(`${served.url}other`),
    ask(served.url, { host: `attacker.example:${port}` }),
    ask(`${served.url}events`, { host: "attacker.example" }),
    ask(served.url, { host: `localhost:${port}` }),
    ask(served.url, { method: "POST" }),
  ]);
  expect(statuses.map(({ status }) => status)).toEqual([404, 404, 404, 404, 403, 403, 200, 405]);
});

test("events tell the latest state, at once and again", async () => {
  let flows = 0;
  served = await servePage(0, () => ({ ...snapshot, forgotten: ++flows }));
  const { body } = await fetch(`${served.url}events`);
  let text = "";
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.split("\n\n").length > 2) break;
  }
  const events = text.split("\n\n").slice(0, 2);
  expect(events.map((one) => JSON.parse(one.replace(/^data: /, "")).forgotten)).toEqual([1, 2]);
});

test("a port that is taken is an error, not a page", async () => {
  served = await servePage(0, () => snapshot);
  await expect(servePage(Number(new URL(served.url).port), () => snapshot)).rejects.toThrow("EADDRINUSE");
});
