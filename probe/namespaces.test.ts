import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nameOf, namespaceOf, podReference, processesOfPod } from "./namespaces.ts";

const proc = mkdtempSync(join(tmpdir(), "proc-"));
afterAll(() => rmSync(proc, { recursive: true }));

const uid = "0f2e6a1c-5b8f-4e57-9f3e-2f6d1f0c7a11";

function process(pid: number, cgroup: string, started: number): void {
  mkdirSync(join(proc, String(pid)));
  writeFileSync(join(proc, String(pid), "cgroup"), `0::${cgroup}\n`);
  const before = Array.from({ length: 18 }, (_, index) => index).join(" ");
  writeFileSync(join(proc, String(pid), "stat"), `${pid} (a (odd) name) S ${before} ${started} 0 0\n`);
}

test("a pod's network namespace is that of its oldest process, with either cgroup driver", () => {
  process(70, `/kubepods.slice/kubepods-pod${uid.replaceAll("-", "_")}.slice/cri-containerd-a.scope`, 900);
  process(81, `/../../kubepods/pod${uid}/b`, 500);
  process(82, "/kubepods/pod11111111-0000-0000-0000-000000000000/c", 100);
  process(1, "/init.scope", 1);
  expect(processesOfPod(uid, proc).sort()).toEqual([70, 81]);
  expect(namespaceOf(podReference("a/b", uid), proc)).toBe(`${proc}/81/ns/net`);
});

test("a pod without a process is missed in words", () => {
  const pod = podReference("a/c", "22222222-0000-0000-0000-000000000000");
  expect(nameOf(pod)).toBe("a/c");
  expect(() => namespaceOf(pod, proc)).toThrow("pod a/c has no process on this node yet");
  expect(() => namespaceOf("a/c", proc)).toThrow("its UID is not known");
});
