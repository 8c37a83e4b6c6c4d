import { expect, test } from "vitest";
import { isRelease, plainRelease, upgradeRefusal } from "./kubernetes-release.ts";

test.each(["v1.35.0", "v1.32.11", "v1.40.2"])("%s is a release", (text) => expect(isRelease(text)).toBe(true));
test.each(["1.35.0", "v1.35", "latest", "v1.31.9", "v1.35.0-rc.1"])("%s is none", (text) =>
  expect(isRelease(text)).toBe(false),
);

test("what a builder adds is no part of a release", () => {
  expect(plainRelease("v1.35.1+k3s1")).toBe("v1.35.1");
});

const running = (...releases: string[]) => releases.map((release, index) => ({ name: `node${index}`, release }));

test.each([
  [["v1.35.0", "v1.35.0"], "v1.35.0"],
  [["v1.35.0"], "v1.35.9"],
  [["v1.35.9"], "v1.35.10"],
  [["v1.34.4"], "v1.35.0"],
  [["v1.35.0", "v1.34.4"], "v1.35.0"], // cut short
  [["v1.9.9"], "v1.10.0"],
])("%j becomes %s", (from, to) => expect(upgradeRefusal(running(...from), to)).toBeUndefined());

test.each([
  [["v1.35.1", "v1.35.0"], "v1.35.0", "node0 runs Kubernetes v1.35.1 already, and there is no way back to v1.35.0"],
  [["v1.35.10"], "v1.35.9", "set kubernetesVersion to v1.35.10 or later"],
  [["v1.36.0"], "v1.35.4", "no way back"],
  [["v1.34.4"], "v1.36.0", "set kubernetesVersion to a release of v1.35 first"],
  [["v1.35.0", "v1.34.4"], "v1.36.0", "node1 runs Kubernetes v1.34.4"],
])("%j does not become %s", (from, to, why) => expect(upgradeRefusal(running(...from), to)).toContain(why));
