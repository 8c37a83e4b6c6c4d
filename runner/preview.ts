import { type Operation, title } from "./operation.ts";
import type { Project } from "./project.ts";
import { runProgram } from "./run-program.ts";
import { pc, say } from "./terminal.ts";

/** Prints what `up` would make, as a tree; touches nothing. */
export async function preview(project: Project): Promise<void> {
  say(
    `Stack ${project.stack}, previewed by this package's runner: this is not \`pulumi preview\`. Nothing is touched.`,
  );
  const operations: Operation[] = [];
  await runProgram(project, true, async (operation) => {
    operations.push(operation);
    return { id: "", state: operation.inputs };
  });
  const tree = [...branches(operations, "", "")];
  process.stdout.write(`${tree.join("\n")}\n`);
  say(
    pc.dim(
      `${tree.length} resources; what an earlier \`up\` of this stack made and this tree has not is removed at the end`,
    ),
  );
}

/** Lines of the resources below a URN, in the order of the program. */
function* branches(operations: Operation[], parent: string, indent: string): Generator<string> {
  const children = operations.filter((operation) => operation.parent === parent);
  for (const [index, child] of children.entries()) {
    const last = index === children.length - 1;
    yield `${indent}${last ? "└─ " : "├─ "}${title(child)}`;
    yield* branches(operations, child.urn, `${indent}${last ? "   " : "│  "}`);
  }
}
