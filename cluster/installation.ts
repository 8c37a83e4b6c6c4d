import { dirname, join } from "node:path";

/** Scripts that machines run; this file's folder is cluster/ in the sources and dist/ in the package, both in its root. */
export const bootstrapFolder = join(dirname(import.meta.dirname), "components", "bootstrap");
