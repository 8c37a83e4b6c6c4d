import { faultsOf, inWords } from "../components/documents/faults.ts";
import { type LabSpec, labSchema } from "../components/documents/lab.ts";
import { LabFailure } from "./failure.ts";

/**
 * Reads a lab's specification.
 * @throws LabFailure (exit code 2) naming every wrong field, its place and what is allowed.
 */
export function parseSpec(text: string): LabSpec {
  const refuse = (problems: string[]): never => {
    throw new LabFailure(`the lab's specification on stdin is not valid:\n  ${problems.join("\n  ")}`, { exitCode: 2 });
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return refuse([`not a JSON document: ${(error as Error).message}`]);
  }
  const faults = faultsOf(labSchema, document);
  return faults.length > 0 ? refuse(faults.map(inWords)) : labSchema.parse(document);
}
