// The supported processors, and their names in each tool.

export interface Processor {
  /** In images, Go and Debian. */
  name: string;
  /** In Node. */
  node: NodeJS.Architecture;
  /** In the GNU C library's folders. */
  triplet: string;
  /** In an ELF file (e_machine in elf.h). */
  machine: number;
}

export const PROCESSORS: Processor[] = [
  { name: "amd64", node: "x64", triplet: "x86_64-linux-gnu", machine: 62 },
  { name: "arm64", node: "arm64", triplet: "aarch64-linux-gnu", machine: 183 },
];

/** @throws Error where this computer's processor is none of them */
export function thisProcessor(): Processor {
  const found = PROCESSORS.find(({ node }) => node === process.arch);
  if (!found) throw new Error(`Cannot build an image on a computer with the processor ${process.arch}.`);
  return found;
}

/**
 * @param platforms `linux/amd64,linux/arm64`; empty: this computer's
 * @throws Error with an unknown platform
 */
export function processorsOf(platforms: string): Processor[] {
  if (platforms === "") return [thisProcessor()];
  return [...new Set(platforms.split(","))].map((platform) => {
    const found = PROCESSORS.find(({ name }) => platform === `linux/${name}`);
    if (found) return found;
    const allowed = PROCESSORS.map(({ name }) => `linux/${name}`).join(", ");
    throw new Error(`PLATFORM has "${platform}", but must be a comma-separated list of: ${allowed}.`);
  });
}
