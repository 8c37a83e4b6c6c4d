import type { LabMachine } from "../../components/documents/lab.ts";
import { LabFailure } from "../failure.ts";

export const MIB = 2 ** 20;

/** Bytes that a machine of each role needs. */
export type Needed = Readonly<Record<LabMachine["role"], number>>;

/** What there may be too little of: "memory", where it is, bytes that are left, and what the user can do. */
export interface Room {
  readonly of: string;
  readonly where: string;
  readonly available: number;
  readonly next: string;
}

/** @throws LabFailure (exit code 2) if there is too little room for these machines */
export function requireRoom(lab: string, machines: readonly LabMachine[], each: Needed, room: Room): void {
  const { of, where, available, next } = room;
  const needed = machines.reduce((sum, { role }) => sum + each[role], 0);
  if (needed <= available) return;
  const names = machines.map(({ name }) => name).join(", ");
  throw new LabFailure(
    `lab ${lab} needs at least ${mib(needed)} MiB of ${of} for ${names}, and ${where} has ${mib(available)} MiB left`,
    { next, exitCode: 2 },
  );
}

const mib = (bytes: number): number => Math.floor(bytes / MIB);
