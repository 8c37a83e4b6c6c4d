import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { anonymous } from "./access.ts";
import { ApiServer } from "./transport.ts";
import { ListWatch, type WatchSink } from "./watch.ts";

/** ms that only a hang reaches. */
const LONG = 180_000;

/** As much of an API server as one kind needs: the test sets the answer to each request. */
class FakeServer {
  readonly requests: string[] = [];
  readonly #answers: ((response: http.ServerResponse) => void)[] = [];
  readonly #open = new Set<http.ServerResponse>();
  readonly #server = http.createServer((request, response) => {
    this.requests.push(request.url ?? "");
    this.#open.add(response);
    const answer = this.#answers.shift();
    if (answer) answer(response);
    else if (request.url?.includes("watch=true")) response.writeHead(200).flushHeaders();
    else response.writeHead(500).end(`{"message":"nothing prepared for ${request.url}"}`);
  });

  async start(): Promise<ApiServer> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return new ApiServer(anonymous(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`));
  }

  stop(): void {
    for (const response of this.#open) response.destroy();
    this.#server.close();
  }

  /** Answers the next requests, in this order. */
  answer(...answers: ((response: http.ServerResponse) => void)[]): void {
    this.#answers.push(...answers);
  }
}

const list = (version: string, names: string[], more?: string) => (response: http.ServerResponse) => {
  const items = names.map((name) => ({ metadata: { name } }));
  response.end(JSON.stringify({ metadata: { resourceVersion: version, continue: more ?? "" }, items }));
};
const event = (type: string, name: string, version: string) =>
  `${JSON.stringify({ type, object: { metadata: { name, resourceVersion: version } } })}\n`;
const watch =
  (...lines: string[]) =>
  (response: http.ServerResponse) =>
    response.end(lines.join(""));
const breakOff = (response: http.ServerResponse) => response.destroy();
const refuse = (status: number) => (response: http.ServerResponse) =>
  response.writeHead(status).end(JSON.stringify({ kind: "Status", message: "no", code: status }));

/** Records each event as one text. */
class Notes implements WatchSink {
  readonly lines: string[] = [];
  listing() {
    const all: string[] = [];
    return {
      put: (object: unknown) => void all.push(nameOf(object)),
      complete: () => void this.lines.push(`all: ${all.join(" ")}`),
    };
  }
  put(object: unknown): void {
    this.lines.push(`put ${nameOf(object)}`);
  }
  remove(object: unknown): void {
    this.lines.push(`remove ${nameOf(object)}`);
  }
  watching(): void {}
}

function nameOf(object: unknown): string {
  return (object as { metadata: { name: string } }).metadata.name;
}

describe("ListWatch", () => {
  const server = () => current.server;
  let current: { server: FakeServer; api: ApiServer; notes: Notes; stop: AbortController; warnings: string[] };

  beforeEach(async () => {
    const fake = new FakeServer();
    current = { server: fake, api: await fake.start(), notes: new Notes(), stop: new AbortController(), warnings: [] };
  });
  afterEach(() => {
    current.stop.abort();
    current.server.stop();
  });

  function follow(name: string, optional = false): void {
    const say = (line: string) => void current.warnings.push(line);
    const kind = { name, path: `/api/v1/${name}`, optional };
    void new ListWatch(current.api, kind, current.notes, { info: say, warn: say }).run(current.stop.signal);
  }
  const told = (...lines: string[]) => vi.waitFor(() => expect(current.notes.lines).toEqual(lines), LONG);

  test("a list in pages is one list, then changes follow from its version", async () => {
    server().answer(
      list("10", ["a"], "page2"),
      list("10", ["b"]),
      watch(event("ADDED", "c", "11"), event("BOOKMARK", "", "15"), event("DELETED", "a", "16")),
    );
    follow("services");
    await told("all: a b", "put c", "remove a");
    // The server ended the watch; the next one continues from there, without another list.
    await vi.waitFor(() => expect(server().requests.at(-1)).toContain("resourceVersion=16"), LONG);
    expect(server().requests[1]).toContain("continue=page2");
    expect(current.warnings).toEqual([]);
  });

  test("the first page is short, and the next has as many objects as make a megabyte of text", async () => {
    const large = (response: http.ServerResponse) => {
      const items = Array.from({ length: 20 }, (_, at) => ({ metadata: { name: `l${at}` }, data: "x".repeat(20_000) }));
      response.end(JSON.stringify({ metadata: { resourceVersion: "10", continue: "page2" }, items }));
    };
    server().answer(large, list("10", ["b"], "page3"), list("10", []));
    follow("services");
    await vi.waitFor(() => expect(current.notes.lines).toHaveLength(1), LONG);
    const limits = server()
      .requests.slice(0, 3)
      .map((url) => Number(new URL(url, "http://s").searchParams.get("limit")));
    expect(limits).toEqual([20, 49, 500]);
  });

  test("while a long list is taken, others have their turn", async () => {
    let turns = 0;
    let taken = 0;
    const notes = current.notes;
    notes.listing = () => ({
      put: () => {
        taken++;
        for (const end = performance.now() + 5; performance.now() < end; ); // as large objects do
      },
      complete: () => void notes.lines.push(`${taken} taken`),
    });
    const names = Array.from({ length: 20 }, (_, at) => `n${at}`);
    server().answer(list("10", names));
    const other = setInterval(() => {
      if (taken > 0 && taken < 20) turns++;
    }, 1);
    follow("services");
    await told("20 taken");
    clearInterval(other);
    expect(turns).toBeGreaterThanOrEqual(3); // 100 ms in turns of 10
  });

  test("the next page is asked for before the objects of this one are taken; one that fails ends the list", async () => {
    const notes = current.notes;
    notes.listing = () => ({
      put: (object) => void notes.lines.push(`${nameOf(object)} after ${server().requests.length} requests`),
      complete: () => void notes.lines.push("all"),
    });
    let answerSecond = () => {};
    const second = new Promise<void>((resolve) => {
      answerSecond = resolve;
    });
    server().answer(list("10", ["a"], "page2"), (response) => void second.then(() => refuse(503)(response)));
    follow("services");
    await vi.waitFor(() => expect(server().requests).toHaveLength(2), LONG);
    expect(notes.lines.length).toBeLessThanOrEqual(1); // it is read while nobody has answered the second request
    server().answer(list("10", ["a"], "page2"), list("10", ["b"]));
    answerSecond();
    await vi.waitFor(() => expect(notes.lines.at(-1)).toBe("all"), LONG);
    expect(notes.lines.map((line) => line.slice(0, 2))).toEqual(["a ", "a ", "b ", "al"]);
    expect(current.warnings[0]).toContain("watching services failed");
  });

  test("after a broken connection the watch continues from there and removes nothing", async () => {
    // Twice: that a connection which was kept open is broken when it is used again is no failure yet.
    const breaks = [breakOff, breakOff];
    server().answer(
      list("10", ["a"]),
      watch(event("ADDED", "b", "12")),
      ...breaks,
      watch(event("MODIFIED", "b", "13")),
    );
    follow("services");
    await told("all: a", "put b", "put b");
    expect(server().requests[4]).toContain("resourceVersion=12");
    expect(current.warnings).toEqual([expect.stringContaining("failed"), "watching services works again"]);
  });

  test("a watch that repeatedly ends immediately is renewed with increasing pauses", async () => {
    server().answer(list("10", ["a"]), ...Array.from({ length: 100 }, () => watch()));
    const began = performance.now();
    follow("services");
    // After 0, 0.2, 0.6 and 1.4 s; on a busy machine later.
    await vi.waitFor(() => expect(server().requests.length - 1).toBeGreaterThanOrEqual(4), LONG);
    expect(performance.now() - began).toBeGreaterThan(1_300);
  });

  test("a version the server forgot leads to a complete list", async () => {
    const forgotten = `${JSON.stringify({ type: "ERROR", object: { code: 410, message: "too old" } })}\n`;
    server().answer(list("10", ["a", "b"]), watch(forgotten), list("90", ["b"]), refuse(410), list("91", ["c"]));
    follow("services");
    await told("all: a b", "all: b", "all: c");
  });

  test("a kind that is not installed has no objects; one that is refused is not known", async () => {
    server().answer(refuse(404));
    follow("ipPools", true);
    await told("all: ");
    server().answer(refuse(404));
    follow("services");
    await vi.waitFor(() => expect(current.warnings.length).toBeGreaterThan(0), LONG);
    expect(current.notes.lines).toEqual(["all: "]);
  });

  test("a server that does not answer yet is asked again", async () => {
    server().answer(refuse(503), refuse(403), list("10", ["a"]));
    follow("services");
    await told("all: a");
    expect(current.warnings[0]).toMatch(/watching services failed: no \(GET .*services: 503 Service Unavailable\)/);
  });
});
