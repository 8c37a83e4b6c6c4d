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

test("what runs as it is said to run is believed", () => {
  expect(staleAmong([here], [here], [here])).toBeUndefined();
});

test("a container that is said to run and does not is stale", () => {
  expect(staleAmong([here], [], [here])).toBe(here);
  expect(staleAmong([here], [{ ...here, spec: { containers: [] } }], [here])).toBe(here);
});

test("so is one that was started anew, of which the API server has not heard", () => {
  expect(staleAmong([here], [here], [pod("here", "2")])).toBe(here);
});

test("what nobody says to run, and static pods, are no question", () => {
  const waiting: V1Pod = { metadata: { uid: "w" }, status: { phase: "Pending" } };
  const mirror = pod("m", "1", { annotations: { "kubernetes.io/config.mirror": "x" } });
  expect(staleAmong([waiting, mirror], [], [])).toBeUndefined();
});
