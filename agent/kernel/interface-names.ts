// Names and indexes of interfaces in this thread's network namespace, by a system call: `ip` would be a process that lists all of them.
import { libbpf } from "./libbpf.ts";

/** IF_NAMESIZE of net/if.h, with the zero at the end. */
const NAME_BYTES = 16;

/** Undefined: there is no such interface. */
export function interfaceIndex(name: string): number | undefined {
  return libbpf().interfaceIndex(name) || undefined;
}

/** Undefined: there is no such interface. */
export function interfaceName(index: number): string | undefined {
  const bytes = Buffer.alloc(NAME_BYTES);
  return libbpf().interfaceName(index, bytes) === null ? undefined : bytes.toString("utf8", 0, bytes.indexOf(0));
}
