import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { certificateHash } from "./bootstrap.ts";

const shell = (script: string, input = ""): string => execFileSync("sh", ["-c", script], { input, encoding: "utf8" });

it("certificateHash() is what kubeadm's documentation computes with openssl", () => {
  const pem = shell(
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=kubernetes -days 1 2>/dev/null",
  );
  const documented = "openssl x509 -pubkey | openssl rsa -pubin -outform der 2>/dev/null | openssl dgst -sha256 -hex";
  expect(certificateHash(pem)).toBe(`sha256:${shell(documented, pem).trim().split(" ").at(-1)}`);
});
