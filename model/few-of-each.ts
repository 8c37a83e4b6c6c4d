import type { Problem } from "./problem.ts";

/** How many faults of one object are listed one by one. An owner can write an object with 100,000 of them, and each is a line in the log and an Event. */
const LISTED = 10;
/** Of a Node: they are its agent's, of everything that the agent does, and no owner's. */
const LISTED_OF_NODE = 50;
const LONGEST_PATH = 256;
const LONGEST_MESSAGE = 1_024;

/** At most ten problems of each object, fifty of a Node, and one that counts the others. */
export function fewOfEach(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= LISTED && problems.every(isShort)) return problems;
  const byObject = Map.groupBy(problems, ({ kind, group, namespace, name }) =>
    JSON.stringify([kind, group, namespace, name]),
  );
  return [...byObject.values()].flatMap((all) => {
    const most = all[0]?.kind === "Node" ? LISTED_OF_NODE : LISTED;
    const listed = all.slice(0, most).map(shortened);
    const [next] = all.slice(most);
    if (!next) return listed;
    const message = `and ${all.length - most} more faults of this object, from this field on. Next: mend those that are listed.`;
    return [...listed, shortened({ ...next, message })];
  });
}

const isShort = ({ path, message }: Problem) => path.length <= LONGEST_PATH && message.length <= LONGEST_MESSAGE;

function shortened(problem: Problem): Problem {
  if (isShort(problem)) return problem;
  return { ...problem, path: cut(problem.path, LONGEST_PATH), message: cut(problem.message, LONGEST_MESSAGE) };
}

/** The beginning of a long text. */
export const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
