// The compiler that checks and compiles this project: TypeScript 7. `typescript` is version 6, because ts-node and Pulumi's component
// analyzer load the compiler as a library, which 7 is not.
import { join } from "node:path";
import { run } from "./command.ts";

const root = join(import.meta.dirname, "..");

/** In one thread: `make test` builds on the other processor meanwhile, and each thread would check again what they share. */
export const tsc = (...args: string[]): Promise<string> =>
  run(process.execPath, [join("node_modules", "typescript-7", "bin", "tsc"), "--singleThreaded", ...args], {
    cwd: root,
    timeoutSeconds: 600,
  });
