import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import koffi from "koffi";
import { afterAll } from "vitest";

const CLONE_NEWNET = 0x40000000;

/** Moves this thread, and the commands it starts, into a new network namespace until the file's tests end. */
export function enterNamespace(): string {
  const setns = koffi.load("libc.so.6").func("int setns(int fd, int type)");
  const name = `dataplane-test-${randomBytes(4).toString("hex")}`;
  const home = openSync("/proc/thread-self/ns/net", "r");
  execFileSync("ip", ["netns", "add", name]);
  const fd = openSync(`/run/netns/${name}`, "r");
  if (setns(fd, CLONE_NEWNET) !== 0) throw new Error(`Cannot enter the network namespace ${name}.`);
  closeSync(fd);
  execFileSync("ip", ["link", "set", "lo", "up"]);
  afterAll(() => {
    setns(home, CLONE_NEWNET);
    closeSync(home);
    execFileSync("ip", ["netns", "delete", name]);
  });
  return name;
}
