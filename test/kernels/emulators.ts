// The computers that guests run on, emulated in software: KVM is often missing or broken on virtual machines, and has this computer's processor only.
import { existsSync } from "node:fs";
import { arch } from "node:process";
import { PROCESSORS, type Processor } from "../../tools/images/processor.ts";

export interface Emulator {
  readonly program: string;
  /** Debian's package with it. */
  readonly package: string;
  /** Its options for one computer. */
  readonly computer: readonly string[];
  /** Of the kernel's command line. */
  readonly append: readonly string[];
}

const EMULATORS: Readonly<Record<string, Emulator>> = {
  amd64: {
    program: "/usr/bin/qemu-system-x86_64",
    package: "qemu-system-x86",
    computer: [],
    // Its check of the timer counts instructions meanwhile, and fails where other work keeps the emulator waiting.
    append: ["console=ttyS0", "no_timer_check"],
  },
  arm64: {
    program: "/usr/bin/qemu-system-aarch64",
    package: "qemu-system-arm",
    // The processor of many servers in clouds.
    computer: ["-machine", "virt,gic-version=3", "-cpu", "neoverse-n1"],
    append: ["console=ttyAMA0"],
  },
};

export function emulatorOf({ name }: Processor): Emulator {
  const found = EMULATORS[name];
  if (!found) throw new Error(`No guest has a processor ${name}.`);
  return found;
}

/** The processor of a guest. @param name ARCH of a command; empty: this computer's
 * @throws Error with what is allowed */
export function guestProcessor(name = ""): Processor {
  const found = PROCESSORS.find((one) => (name === "" ? one.node === arch : one.name === name));
  if (found) return found;
  const allowed = PROCESSORS.map((one) => one.name).join(" and ");
  throw new Error(
    name === ""
      ? `This computer's processor is ${arch}; guests have ${allowed}. Next: set ARCH to one of them.`
      : `ARCH is '${name}'; allowed are ${allowed}.`,
  );
}

/** Why no guest with this processor can run here, or undefined. @param name absent: this computer's */
export function whyNoGuest(name = ""): string | undefined {
  let processor: Processor;
  try {
    processor = guestProcessor(name);
  } catch (error) {
    return `SKIP: ${error instanceof Error ? error.message : error}`;
  }
  const { program, package: from } = emulatorOf(processor);
  if (!existsSync(program)) return `SKIP: ${program} is not installed (package ${from})`;
  if (processor.node === arch && !existsSync("/bin/busybox"))
    return "SKIP: /bin/busybox is not installed (package busybox-static)";
  // The programs of another processor come from Debian's packages, in the ELF headers of which their libraries are looked up.
  if (processor.node !== arch && !["apt-get", "llvm-readelf"].every((tool) => existsSync(`/usr/bin/${tool}`)))
    return "SKIP: apt-get and llvm-readelf (package llvm) are needed for the programs of another processor";
  return undefined;
}
