import { expect, test } from "vitest";
import { ApiRefusal, ApiUnreachable } from "../../kubernetes/errors.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { Statuses } from "./statuses.ts";

const change = (name: string, ...addresses: string[]) => ({ namespace: "default", name, addresses });

/** @param answer throws what the API server answers about a Service */
function made(answer: (name: string) => void = () => undefined) {
  const [wrote, clock] = [[] as string[], { now: 1_000 }];
  const api: Api = {
    server: "https://192.0.2.9",
    send: async ({ path }: { path: string }) => {
      const name = /services\/(.*)\/status$/.exec(path)?.[1] ?? "";
      answer(name);
      wrote.push(name);
      return "{}";
    },
  };
  return { statuses: new Statuses(api, () => clock.now), wrote, clock };
}

test("a status is written once until the Service shows it", async () => {
  const { statuses, wrote } = made();
  await statuses.write([change("a", "192.0.2.1")]);
  await statuses.write([change("a", "192.0.2.1")]);
  expect(wrote).toEqual(["a"]);
  await statuses.write([change("a", "192.0.2.2")]);
  expect(wrote).toEqual(["a", "a"]);
});

test("a refused status keeps no other from being written, and is named and tried again; one that is gone is forgotten", async () => {
  const { statuses, wrote } = made((name) => {
    if (name === "a") throw new ApiRefusal(403, "Forbidden", "denied by a webhook");
    if (name === "b") throw new ApiRefusal(404, "NotFound", "not found");
    if (name === "c") throw new ApiRefusal(500, "InternalError", "failed calling webhook");
  });
  const changes = ["a", "b", "c", "d"].map((name) => change(name, "192.0.2.1"));
  const expected = [
    expect.stringMatching(/^Service default\/a: .*denied by a webhook/),
    expect.stringMatching(/^Service default\/c: .*failed calling webhook/),
  ];
  expect(await statuses.write(changes)).toEqual(expected);
  expect(wrote).toEqual(["d"]);
  expect(await statuses.write(changes)).toEqual(expected);
});

test("without an API server the rest waits", async () => {
  const { statuses } = made(() => {
    throw new ApiUnreachable({ server: "https://192.0.2.9", method: "PATCH", path: "/" }, "it is gone");
  });
  await expect(statuses.write([change("a", "192.0.2.1")])).rejects.toThrow("it is gone");
});

test("against another controller a status is written more and more rarely, and the Service is told until that ends", async () => {
  const { statuses, wrote, clock } = made();
  const undone = [change("a", "192.0.2.1")];
  // The other one answers each write within a moment.
  for (let at = 0; at < 600; at++) {
    clock.now += 500;
    await statuses.write(undone);
    await statuses.write([]);
  }
  expect(wrote.length).toBeGreaterThan(5);
  expect(wrote.length).toBeLessThan(15);
  expect(statuses.problems).toEqual([
    expect.objectContaining({ kind: "Service", namespace: "default", name: "a", path: "status.loadBalancer" }),
  ]);
  const before = wrote.length;
  // Another Service of its name, as where one is made anew by each test of something else, is not kept waiting.
  await statuses.write([{ ...change("a", "192.0.2.1"), uid: "another" }]);
  expect(wrote.length).toBe(before + 1);
  expect(statuses.problems).toEqual([]);
  clock.now += 700_000;
  await statuses.write([]);
  expect(statuses.problems).toEqual([]);
});
