import { YAMLParseError } from "yaml";

/** Why a text with secrets is no YAML: only the place, since messages of the parser quote the text. */
export function yamlFault(error: unknown): string {
  const [at] = (error instanceof YAMLParseError && error.linePos) || [];
  return at ? `line ${at.line}, column ${at.col}` : "it has an alias (*name) without an anchor, or one too many";
}
