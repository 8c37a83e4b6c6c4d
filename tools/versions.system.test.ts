// The versions agree with their sources.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "./command.ts";
import { binaryPath, buildGoBinary } from "./go-binary.ts";
import { kube } from "./programs.ts";
import { COREDNS, ETCD, KUBERNETES, PAUSE } from "./versions.ts";

test("kubeadm uses the images that are built", async () => {
  await buildGoBinary(kube);
  const answer = await run(binaryPath(kube), [
    "kubeadm",
    "config",
    "images",
    "list",
    "--kubernetes-version",
    KUBERNETES,
  ]);
  const expected = [`coredns/coredns:${COREDNS}`, `etcd:${ETCD}`, `pause:${PAUSE}`, `kube-proxy:${KUBERNETES}`];
  for (const name of expected) expect(answer).toContain(`/${name}\n`);
}, 1_800_000);

test.each([
  ["kubernetes", `k8s.io/kubernetes ${KUBERNETES}`],
  ["kubernetes", `go.etcd.io/etcd/server/v3 v${ETCD.replace(/-\d+$/, "")}`],
  ["coredns", `github.com/coredns/coredns ${COREDNS}`],
])("tools/%s/go.mod requires %s", (module, requirement) => {
  expect(readFileSync(join(import.meta.dirname, module, "go.mod"), "utf8")).toContain(requirement);
});
