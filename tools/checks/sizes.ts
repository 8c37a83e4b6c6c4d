// A file answers one question. A file larger than these limits is split, or listed here with the reason.
import { type Finding, isTest, isTypeScript, type Sources } from "./source.ts";

const LISTED: Record<string, string> = {
  "components/bootstrap/node.sh": "the first boot of an instance, in order; user data is one script",
  "test/mutants/list.ts": "data",
  "test/packets/cases/attacks.ts": "data",
  "test/packets/cases/walks.ts": "data",
  "test/datapath/dual-stack.system.test.ts":
    "what both families must do, in the cluster that has both: another file would start it again",
  "test/packets/node.ts": "one node's programs, maps and interfaces, set up step by step",
};

export function checkSizes(sources: Sources): Finding[] {
  return [...sources].flatMap(([path, content]) => {
    const limit = limitOf(path);
    const lines = content.split("\n").length - 1;
    if (limit === undefined || lines <= limit || path in LISTED) return [];
    return [
      {
        path,
        message: `has ${lines} lines, more than ${limit}: split it by question, or list it in tools/checks/sizes.ts with the reason`,
      },
    ];
  });
}

function limitOf(path: string): number | undefined {
  if (path.endsWith(".gen.ts")) return undefined;
  if (isTypeScript(path)) return isTest(path) ? 400 : 250;
  return /\.(c|go|h|sh)$/.test(path) ? 250 : undefined;
}
