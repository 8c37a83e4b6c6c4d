// Preloaded (node --import): has agent/ come from the checkout in BORROWED_FROM, so that the harness of this one fills the maps
// of that one's programs by that one's own compiler. Packages are this checkout's.
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const here = pathToFileURL(join(import.meta.dirname, "..", "..", "..", "/")).href;
const there = pathToFileURL(join(process.env.BORROWED_FROM ?? "", "/")).href;

registerHooks({
  resolve(specifier, context, next) {
    const isPackage = !/^[./]|^\w+:/.test(specifier);
    const parentURL = isPackage ? context.parentURL?.replace(there, here) : context.parentURL;
    const found = next(specifier, { ...context, parentURL });
    const isBorrowed = found.url.startsWith(`${here}agent/`) && !found.url.endsWith(".fixture.ts");
    return isBorrowed ? { ...found, url: found.url.replace(here, there) } : found;
  },
});
