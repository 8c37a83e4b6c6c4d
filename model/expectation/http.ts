// What an expectation can say about HTTP.
import { FormatError } from "./place.ts";

/** Status codes of RFC 9110 section 15. */
export const STATUS = { least: 100, most: 599 };

const ALLOWED = 'a path that begins with "/", of printable characters without spaces, at most 2000';

/** Reads the path of a request (RFC 9112 section 3.2.1). It becomes a part of the request line, so it holds no space and no line end. */
export function parsePath(text: string): string {
  if (/^\/[\x21-\x7e]{0,1999}$/.test(text)) return text;
  throw new FormatError(`${JSON.stringify(text.slice(0, 60))} is not a path`, ALLOWED);
}
