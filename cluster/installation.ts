import { dirname, join } from "node:path";

/** Scripts that machines run. This file's folder is cluster/ in the sources and dist/ in the package, both directly below the root. */
export const bootstrapFolder = join(dirname(import.meta.dirname), "components", "bootstrap");
