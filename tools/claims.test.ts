import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepNewest } from "./cache.ts";
import { claim, claimed } from "./claims.ts";

const folder = mkdtempSync(join(tmpdir(), "claims-"));
beforeEach(() => void vi.stubEnv("EBPF_DATAPLANE_CACHE", join(folder, "cache")));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(join(folder, "cache"), { recursive: true, force: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

function checkout(name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "package.json"), "{}");
  return path;
}

function archive(name: string, age: number): string {
  const path = join(folder, name);
  writeFileSync(path, name);
  utimesSync(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
  return path;
}

test("a build keeps what another checkout uses, however old it is, and what that one used before goes", () => {
  const [theirs, ours] = [checkout("theirs"), checkout("ours")];
  const [before, used, middle, newest] = [
    archive("1", 40),
    archive("2", 30),
    archive("3", 20),
    archive("4", 10),
  ] as const;
  claim("images", [before], theirs);
  claim("images", [used], theirs);
  claim("images", [newest], ours);
  keepNewest([before, used, middle, newest], 0, claimed());
  expect([before, used, middle, newest].map((path) => existsSync(path))).toEqual([false, true, false, true]);
});

test("kinds are apart, and a checkout that was removed uses nothing", () => {
  const gone = checkout("gone");
  claim("images", ["/image"], gone);
  claim("bin-coredns", ["/coredns"], gone);
  expect(claimed().sort()).toEqual(["/coredns", "/image"]);
  rmSync(gone, { recursive: true });
  expect(claimed()).toEqual([]);
  expect(readdirSync(join(folder, "cache", "claims"))).toEqual([]);
});

test("a claim that cannot be read claims nothing", () => {
  claim("images", ["/image"], checkout("cut"));
  const claims = join(folder, "cache", "claims");
  writeFileSync(join(claims, readdirSync(claims)[0] as string), '{"checkout":');
  expect(claimed()).toEqual([]);
});
