import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { UnusableKubeconfig } from "./errors.ts";
import { inPod, serviceAccount } from "./service-account.ts";

const folder = mkdtempSync(join(tmpdir(), "service-account-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (host: string) => ({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: "8080" });

test("token and authority are read for each request, and go to the address of the environment by TLS only", async () => {
  expect(inPod(folder)).toBe(false);
  writeFileSync(join(folder, "ca.crt"), "CA");
  writeFileSync(join(folder, "token"), "first\n");
  expect(inPod(folder)).toBe(true);
  const access = serviceAccount(at("172.31.1.8"), folder);
  expect(access.server).toBe("https://172.31.1.8:8080");
  expect(await access.options()).toEqual({ ca: "CA", headers: { Authorization: "Bearer first" } });
  writeFileSync(join(folder, "token"), "second\n");
  expect(await access.options()).toMatchObject({ headers: { Authorization: "Bearer second" } });
  expect(serviceAccount(at("fd00::1"), folder).server).toBe("https://[fd00::1]:8080");
});

test("outside of a pod, or without a token, the error names what is missing", () => {
  expect(() => serviceAccount({}, folder)).toThrow(UnusableKubeconfig);
  const access = serviceAccount(at("172.31.1.8"), join(folder, "none"));
  expect(() => access.options()).toThrow(/service account cannot be used: ENOENT/);
});
