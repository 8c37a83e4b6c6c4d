import { expect, test } from "vitest";
import { lastingLabels, templateLabels, workloadName } from "./workload.ts";

test("a pod's workload is found by its controller's labels", () => {
  expect(workloadName("web-6d4cf56db6-x7k2p", { "pod-template-hash": "6d4cf56db6" })).toBe("web");
  expect(workloadName("pg-0", { "statefulset.kubernetes.io/pod-name": "pg-0" })).toBe("pg");
  expect(workloadName("agent-x7k2p", { "controller-revision-hash": "abc" })).toBe("agent");
  expect(workloadName("backup-29401920-x7k2p", { "batch.kubernetes.io/job-name": "backup-29401920" })).toBe("backup");
  expect(workloadName("once-x7k2p", { "job-name": "once" })).toBe("once");
  expect(workloadName("shell", { app: "shell" })).toBe("shell");
});

test("labels that a user invents give no empty name", () => {
  expect(workloadName("-6-x", { "pod-template-hash": "6" })).toBe("-6-x");
  expect(workloadName("web", { "pod-template-hash": ".*" })).toBe("web");
});

test("labels of versions and copies are left out", () => {
  const labels = { app: "pg", "pod-template-hash": "1", "statefulset.kubernetes.io/pod-name": "pg-0" };
  expect(lastingLabels(labels)).toEqual({ app: "pg", "statefulset.kubernetes.io/pod-name": "pg-0" });
  expect(templateLabels(labels)).toEqual({ app: "pg" });
});
