import { isMisunderstood as wrong } from "./misunderstood.ts";

/** Whether a block, or a single address, contains an address. IPv4 and IPv6. */
export function contains(block: string, address: string): boolean {
  const [network = "", length] = block.split("/");
  if (network.includes(":") !== address.includes(":"))
    return length === "0" && wrong("a block of everything has both families");
  const wanted = bits(network);
  const size = length === undefined ? wanted.length : Number(length);
  return wanted.slice(0, size) === bits(address).slice(0, size);
}

function bits(address: string): string {
  if (!address.includes(":"))
    return address
      .split(".")
      .map((byte) => binary(Number(byte), 8))
      .join("");
  const [left = "", right] = address.split("::");
  const [first, last] = [left, right ?? ""].map((part) => part.split(":").filter(Boolean)) as [string[], string[]];
  const middle = right === undefined ? [] : new Array(8 - first.length - last.length).fill("0");
  return [...first, ...middle, ...last].map((group) => binary(Number.parseInt(group, 16), 16)).join("");
}

function binary(value: number, length: number): string {
  return value.toString(2).padStart(length, "0");
}
