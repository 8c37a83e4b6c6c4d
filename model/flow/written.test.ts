import { expect, test } from "vitest";
import { type Service, service } from "../objects/core.ts";
import { portNamed } from "./written.ts";

const named = (name: string, port: number): Service =>
  service.parse({
    metadata: { name, namespace: "shop" },
    spec: { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], ports: [{ name: "http", port }] },
  });

test("a port is found by its Service's name and its own; of two Services of one name the first counts", () => {
  const services = [named("web", 80), named("db", 5432), named("web", 8080)];
  expect(portNamed("shop/web:http", services)?.ports.map(({ port }) => port)).toEqual([80]);
  expect(portNamed("shop/web:other", services)?.ports).toEqual([]);
  expect(portNamed("shop/gone:http", services)).toBeUndefined();
});

test("many questions about one list look at each of its Services once", () => {
  let looks = 0;
  const services = Array.from({ length: 50 }, (_, at) => {
    const one = named(`s${at}`, 80);
    return Object.defineProperty({ ...one }, "metadata", {
      get: () => {
        looks++;
        return one.metadata;
      },
    });
  });
  for (let question = 0; question < 100; question++) portNamed(`shop/s${question % 50}:http`, services);
  const most = looks;
  for (let question = 0; question < 100; question++) portNamed("shop/gone:http", services);
  expect(looks).toBe(most);
  expect(most).toBeLessThanOrEqual(2 * 50);
});
