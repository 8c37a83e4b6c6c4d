import { expect, test } from "vitest";
import { ApiRefusal } from "../../kubernetes/errors.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { MADE_BY } from "../engine/ledger.ts";
import { clearNamespaces, makeNamespaces, NotOwn } from "./own-namespaces.ts";

/** @param namespaces with how often they are still seen after they were deleted */
function clusterWith(namespaces: Record<string, { own: boolean; lasts?: number }>) {
  const sent: string[] = [];
  const left = new Map(Object.entries(namespaces).map(([name, one]) => [name, { lasts: 0, deleted: false, ...one }]));
  const api: Api = {
    server: "https://172.31.1.8:6443",
    send: async ({ method, path }) => {
      const name = path.split("/").at(-1) ?? "";
      const found = left.get(name);
      if (method !== "GET") sent.push(`${method} ${path}`);
      if (!found || (found.deleted && found.lasts-- <= 0)) throw new ApiRefusal(404, "NotFound", "not found");
      if (method === "DELETE") found.deleted = true;
      return JSON.stringify({ metadata: { name, annotations: found.own ? { [MADE_BY]: "true" } : {} } });
    },
  };
  let now = 0;
  const sleep = async (ms: number) => {
    now += ms;
  };
  const clock = { now: () => now, sleep };
  return { sent, clear: () => clearNamespaces(api, clock), seconds: () => now / 1000 };
}

test("a namespace that the suite has not made is neither used nor removed", async () => {
  const { clear, sent } = clusterWith({ "dataplane-check": { own: true }, "dataplane-check-other": { own: false } });
  await expect(clear()).rejects.toThrow(NotOwn);
  await expect(clear()).rejects.toThrow("the namespace dataplane-check-other exists and is not of this suite");
  expect(sent).toEqual([]);
});

test("what a killed run has left is removed, with all that somebody may have put there, before the suite begins", async () => {
  const { clear, sent, seconds } = clusterWith({ "dataplane-check": { own: true, lasts: 3 } });
  await clear();
  expect(sent).toEqual(["DELETE /api/v1/namespaces/dataplane-check"]);
  expect(seconds()).toBeGreaterThanOrEqual(3);
});

test("one that does not go is told", async () => {
  const { clear } = clusterWith({ "dataplane-check": { own: true, lasts: 10_000 } });
  await expect(clear()).rejects.toThrow("the namespace dataplane-check of an earlier run is still being removed");
});

test("the namespaces are made as the suite's own; one that somebody has made meanwhile is not taken over, and the other one goes", async () => {
  const sent: string[] = [];
  const apiWhere = (taken: string): Api => ({
    server: "https://172.31.1.8:6443",
    send: async ({ method, path, body }) => {
      const { metadata = {} } = (body ?? {}) as { metadata?: { name?: string; annotations?: object } };
      sent.push(`${method} ${path} ${metadata.name ?? ""}`);
      if (method === "POST") expect(metadata.annotations).toEqual({ [MADE_BY]: "true" });
      if (metadata.name === taken) throw new ApiRefusal(409, "AlreadyExists", "exists");
      return "{}";
    },
  });
  await makeNamespaces(apiWhere("none"));
  expect(sent.splice(0)).toEqual([
    "POST /api/v1/namespaces dataplane-check",
    "POST /api/v1/namespaces dataplane-check-other",
  ]);
  await expect(makeNamespaces(apiWhere("dataplane-check-other"))).rejects.toThrow(NotOwn);
  expect(sent.at(-1)).toBe("DELETE /api/v1/namespaces/dataplane-check ");
});
