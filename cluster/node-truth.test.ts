import type { V1Pod } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import { staleAmong } from "./node-truth.ts";

const pod = (uid: string, containerID: string, more: object = {}): V1Pod => ({
  metadata: { uid, name: uid, ...more },
  spec: { containers: [{ name: "c" }] },
  status: {
    containerStatuses: [
      { name: "c", containerID, state: { running: {} }, image: "", imageID: "", ready: true, restartCount: 0 },
    ],
  },
});
const here = pod("here", "1");

test("a pod that runs as reported is accepted", () => {
  expect(staleAmong([here], [here], [here])).toBeUndefined();
});

test("a container that is reported as running and does not run is stale", () => {
  expect(staleAmong([here], [], [here])).toBe(here);
  expect(staleAmong([here], [{ ...here, spec: { containers: [] } }], [here])).toBe(here);
});

test("so is one that was restarted without the API server's knowledge", () => {
  expect(staleAmong([here], [here], [pod("here", "2")])).toBe(here);
});

test("pods that are not reported as running, and static pods, are not checked", () => {
  const waiting: V1Pod = { metadata: { uid: "w" }, status: { phase: "Pending" } };
  const mirror = pod("m", "1", { annotations: { "kubernetes.io/config.mirror": "x" } });
  expect(staleAmong([waiting, mirror], [], [])).toBeUndefined();
});
