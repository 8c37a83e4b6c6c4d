import { lockHolder, whileLocked } from "../components/program/lock.ts";
import { LabFailure } from "./failure.ts";

/** The holder of a lab's lock, as "'up' (process 12)"; undefined if nobody holds it. */
export const holderOf = (lab: string): Promise<string | undefined> => lockHolder(`lab/${lab}`);

/**
 * Runs an operation while no other process uses the same lab.
 * @throws LabFailure immediately if one does, naming it.
 */
export function withLock<T>(lab: string, activity: string, work: () => Promise<T>): Promise<T> {
  const inUse = (holder: string) =>
    new LabFailure(`cannot begin '${activity}': ${holder} is using lab ${lab}`, {
      next: "wait until it ends, or end it, then try again",
    });
  return whileLocked(`lab/${lab}`, activity, inUse, work);
}
