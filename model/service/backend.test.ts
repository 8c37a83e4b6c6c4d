import { expect, test } from "vitest";
import { named } from "../named.ts";
import { backendAt, type Standing, Standings } from "./backend.ts";

const standing: Standing = {
  port: 8080,
  protocol: 6,
  local: false,
  hostNetwork: false,
  ready: true,
  servingTerminating: false,
  draining: false,
  hints: {},
  weight: 1,
};

test("a backend's number is the hash of its name, also above 2^31, and its name says where it is", () => {
  const all = Array.from({ length: 100 }, (_, at) => backendAt(`10.244.0.${at}`, "172.31.1.8", standing));
  for (const { backend, name } of all) expect({ name, hash: backend.hash }).toEqual(named(backend.name));
  expect(all.some(({ backend }) => backend.hash > 2 ** 31)).toBe(true);
  expect(all[7]?.name).toBe("10.244.0.7 8080/tcp 172.31.1.8");
});

test("a drained backend is the same one, in no list", () => {
  const { backend, name } = backendAt("10.244.0.7", "::", { ...standing, local: true, weight: 5 });
  const { address, port, local, draining, weight, hash } = backend.drained();
  expect({ name: backend.drained().name, hash }).toEqual({ name, hash: backend.hash });
  expect({ address, port, local, draining, weight }).toEqual({
    ...{ address: "10.244.0.7", port: 8080, local: true, weight: 5 },
    draining: true,
  });
  expect(backend.draining).toBe(false);
});

test("standings are shared when all that they say is the same", () => {
  const standings = new Standings();
  const same = standings.shared({ ...standing });
  expect(standings.shared({ ...standing, hints: {} })).toBe(same);
  const others: Partial<Standing>[] = [
    { port: 8081 },
    { local: true },
    { hostNetwork: true },
    { ready: false },
    { servingTerminating: true },
    { draining: true },
    { weight: 0 },
    { weight: 2 },
    ...(["this", "others"] as const).flatMap((is) => [{ hints: { node: is } }, { hints: { zone: is } }]),
    { hints: { node: "this", zone: "others" } },
  ];
  const shared = others.map((other) => standings.shared({ ...standing, ...other }));
  expect(new Set([same, ...shared]).size).toBe(1 + others.length);
  for (const [at, other] of others.entries()) expect(shared[at]).toEqual({ ...standing, ...other });
});
