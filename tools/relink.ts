// `node tools/relink.ts v1.35.1`: builds a release to which a lab can be upgraded, from the current code. Only the version number differs,
// which the linker sets. The upgrade procedure is real, but the changes of another release are not tested.
import { buildRelinked } from "./images/build.ts";
import { KUBERNETES } from "./versions.ts";

const [release = ""] = process.argv.slice(2);
const [minor, patch] = KUBERNETES.split(/\.(?=\d+$)/) as [string, string];
const [, wanted] = new RegExp(`^${minor.replace(".", "\\.")}\\.(\\d+)$`).exec(release) ?? [];
if (wanted === undefined || Number(wanted) <= Number(patch)) {
  process.stderr.write(
    `'${release}' is not a later patch release of ${KUBERNETES}: use one like ${minor}.${Number(patch) + 1}\n`,
  );
  process.exit(2);
}
await buildRelinked(release);
process.stderr.write(`${release} is available for upgrades: the code of ${KUBERNETES} under another version number\n`);
