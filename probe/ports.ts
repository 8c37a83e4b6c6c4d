import { InvalidArgumentError } from "commander";

/** `"80,81"` as numbers; an empty string means none. */
export function parsePorts(text: string): number[] {
  if (text.trim() === "") return [];
  const ports = text.split(",").map((part) => parsePort(part.trim()));
  const twice = ports.find((port, index) => ports.indexOf(port) !== index);
  if (twice !== undefined) throw new InvalidArgumentError(`port ${twice} is listed twice.`);
  return ports;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new InvalidArgumentError(`"${text}" is not a port; allowed: numbers from 1 to 65535, separated by commas.`);
}
