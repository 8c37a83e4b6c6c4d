import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parametersFile, readCloud } from "./place.ts";

/** The permissions of a role. */
interface Statement {
  actions: string[];
  resources: string[];
}

/** Maximum length of a standard parameter's value, in characters (Systems Manager user guide). */
const longestValue = 4096;

const fault = (type: string, message: string) => ({ status: 400, body: JSON.stringify({ __type: type, message }) });

/** Answers PutParameter and GetParameter as the Systems Manager does, for a role with these statements. */
export function answerParameter(
  lab: string,
  statements: Statement[],
  action: string,
  { Name, Value = "" }: { Name: string; Value?: string },
): { status: number; body: string } {
  const parameter = readCloud(lab).parameters.find(({ name }) => name === Name);
  const arn = parameter?.arn ?? "";
  const isAllowed = statements.some(({ actions, resources }) => actions.includes(action) && resources.includes(arn));
  if (!isAllowed) return fault("AccessDeniedException", `not authorized to perform ${action} on ${Name}`);
  if (action === "ssm:PutParameter") {
    if (Value.length > longestValue)
      return fault("ValidationException", `${Name} is longer than ${longestValue} characters`);
    const draft = `${parametersFile(lab)}.new`;
    writeFileSync(draft, JSON.stringify({ ...values(lab), [Name]: Value }), { mode: 0o600 });
    renameSync(draft, parametersFile(lab));
    return { status: 200, body: '{"Tier":"Standard","Version":2}' };
  }
  const found = { Name, Type: "SecureString", Value: parameterValue(lab, Name), ARN: arn };
  return { status: 200, body: JSON.stringify({ Parameter: found }) };
}

/** A parameter's value; its initial value until it is written. */
export function parameterValue(lab: string, name: string): string {
  return values(lab)[name] ?? "not yet written";
}

function values(lab: string): Record<string, string> {
  const file = parametersFile(lab);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>) : {};
}
