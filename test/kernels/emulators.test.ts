import { expect, test } from "vitest";
import { PROCESSORS } from "../../tools/images/processor.ts";
import { emulatorOf, guestProcessor, whyNoGuest } from "./emulators.ts";

test("guestProcessor() is this computer's unless another is asked for, and names what is allowed", () => {
  expect(guestProcessor().node).toBe(process.arch);
  expect(guestProcessor("arm64").triplet).toBe("aarch64-linux-gnu");
  expect(() => guestProcessor("riscv64")).toThrow("ARCH is 'riscv64'; allowed are amd64 and arm64.");
});

test("each processor has an emulator", () => {
  expect(PROCESSORS.map((processor) => emulatorOf(processor).package)).toEqual(["qemu-system-x86", "qemu-system-arm"]);
});

test("whyNoGuest() is a reason to skip, or nothing", () => {
  for (const name of ["", "amd64", "arm64", "riscv64"]) expect(whyNoGuest(name) ?? "SKIP: ").toMatch(/^SKIP: /);
});
