import { expect, test } from "vitest";
import { backendCounts } from "./backend-counts.ts";
import type { CompiledService } from "./service.ts";

test("backends of Services are counted by state, those of host ports are not", () => {
  const backend = (ready: boolean, servingTerminating = false) => ({ ready, servingTerminating });
  const item = (kind: string, ...backends: object[]) => ({ kind, backends }) as unknown as CompiledService;
  const web = item("Service", backend(true), backend(true), backend(false, true), backend(false));
  const counts = backendCounts([web, item("Service", backend(true)), item("Pod", backend(true))]);
  expect(counts).toEqual({ ready: 3, terminating: 1, unready: 1 });
});
