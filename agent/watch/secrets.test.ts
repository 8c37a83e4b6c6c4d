import { expect, test, vi } from "vitest";
import { ApiRefusal } from "../../kubernetes/errors.ts";
import type { ApiRequest, StreamingApi } from "../../kubernetes/transport.ts";
import { ApiSecrets, FileSecrets } from "./secrets.ts";

const encoded = (text: string) => Buffer.from(text).toString("base64");
const object = (name: string, data: Record<string, string>, resourceVersion = "1") => ({
  metadata: { name, resourceVersion },
  data,
});

/** A server with one Secret, whose changes are told with `tell`. */
function server(items: object[], refusal?: Error) {
  const asked: ApiRequest[] = [];
  let tell = (_event: object) => {};
  const api: StreamingApi = {
    server: "https://example",
    send: async (request) => {
      asked.push(request);
      if (refusal) throw refusal;
      return JSON.stringify({ metadata: { resourceVersion: "1" }, items });
    },
    stream: async (request) => {
      asked.push(request);
      const { readable, writable } = new TransformStream<string, string>();
      const writer = writable.getWriter();
      tell = (event) => void writer.write(`${JSON.stringify(event)}\n`);
      request.signal?.addEventListener("abort", () => void writer.abort().catch(() => undefined));
      return readable;
    },
  };
  return { api, asked, tell: (event: object) => tell(event) };
}

const LONG = { timeout: 180_000 };

test("a Secret is read by its name, and followed", async () => {
  const { api, asked, tell } = server([object("bgp", { tor: encoded("s3cret") })]);
  const secrets = new ApiSecrets(api, () => {});
  secrets.follow(new Set(["bgp"]));
  expect(secrets.valueOf("bgp", "tor")).toBe("unknown yet");
  await vi.waitFor(() => expect(asked).toHaveLength(2), LONG);
  expect(secrets.valueOf("bgp", "tor")).toEqual({ text: "s3cret" });
  expect(secrets.valueOf("bgp", "other")).toMatchObject({ field: "key" });
  for (const { path, query } of asked)
    expect({ path, ...query }).toMatchObject({
      path: "/api/v1/namespaces/ebpf-dataplane/secrets",
      fieldSelector: "metadata.name=bgp",
    });
  tell({ type: "MODIFIED", object: object("bgp", { tor: encoded("next") }, "2") });
  await vi.waitFor(() => expect(secrets.valueOf("bgp", "tor")).toEqual({ text: "next" }), LONG);
  tell({ type: "DELETED", object: object("bgp", {}, "3") });
  await vi.waitFor(() => expect(secrets.valueOf("bgp", "tor")).toMatchObject({ field: "name" }), LONG);
  secrets.follow(new Set());
  expect(secrets.valueOf("bgp", "tor")).toBe("unknown yet");
});

test("what may not be read is said to be so, with the next step", async () => {
  const { api } = server([], new ApiRefusal(403, "Forbidden", "secrets is forbidden"));
  const changed = vi.fn();
  const secrets = new ApiSecrets(api, changed);
  secrets.follow(new Set(["bgp"]));
  await vi.waitFor(() => expect(changed).toHaveBeenCalled(), LONG);
  expect(secrets.valueOf("bgp", "tor")).toMatchObject({
    field: "name",
    fault: expect.stringMatching(/forbidden.*Role/),
  });
  secrets.follow(new Set());
});

test("files have Secrets as people write them, in the agents' namespace", () => {
  const file = (namespace: string, data: object) => ({
    ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "bgp", namespace } },
    ...data,
  });
  const secrets = new FileSecrets(() => [
    file("default", { stringData: { tor: "another's" } }),
    file("ebpf-dataplane", { stringData: { tor: "s3cret" }, data: { mesh: encoded("m") } }),
    {
      ...file("ebpf-dataplane", { stringData: { tor: 5372 } }),
      metadata: { name: "number", namespace: "ebpf-dataplane" },
    },
  ]);
  expect(secrets.valueOf("bgp", "tor")).toEqual({ text: "s3cret" });
  expect(secrets.valueOf("bgp", "mesh")).toEqual({ text: "m" });
  expect(secrets.valueOf("none", "tor")).toMatchObject({
    field: "name",
    fault: expect.stringContaining("there is no"),
  });
  const unquoted = "the Secret number cannot be read (stringData.tor: Invalid input: expected string, received number)";
  expect(secrets.valueOf("number", "tor")).toEqual({ field: "name", fault: unquoted });
  expect(secrets.valueOf("bgp", "constructor")).toMatchObject({ field: "key" });
});
