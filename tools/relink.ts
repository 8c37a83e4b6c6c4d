// `node tools/relink.ts v1.35.1`: makes a release to upgrade a lab to, from the code of the one that is there. Only the number differs: the
// linker writes it. So an upgrade is carried out for real, and what another release would change is not shown.
import { buildRelinked } from "./images/build.ts";
import { KUBERNETES } from "./versions.ts";

const [release = ""] = process.argv.slice(2);
const [minor, patch] = KUBERNETES.split(/\.(?=\d+$)/) as [string, string];
const [, wanted] = new RegExp(`^${minor.replace(".", "\\.")}\\.(\\d+)$`).exec(release) ?? [];
if (wanted === undefined || Number(wanted) <= Number(patch)) {
  process.stderr.write(
    `'${release}' is no patch release after ${KUBERNETES}: give one like ${minor}.${Number(patch) + 1}\n`,
  );
  process.exit(2);
}
await buildRelinked(release);
process.stderr.write(`${release} is there to upgrade to: the code of ${KUBERNETES} by another number\n`);
