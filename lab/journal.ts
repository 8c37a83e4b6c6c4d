import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { journalFile, labFolder } from "./names.ts";

/** A resource of a lab outside its folder, recorded before it is created so that removal always finds it. */
export type Resource =
  | { kind: "namespace"; name: string }
  | { kind: "cgroup"; path: string }
  /** start: clock ticks after boot, field 22 of proc_pid_stat(5); with the pid it identifies one process uniquely. */
  | { kind: "process"; pid: number; start: string; role: string };

/** Lines of a journal. If a killed writer truncated the last one, it is ignored. */
export function parseJournal(text: string): Resource[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as Resource];
    } catch {
      return [];
    }
  });
}

export function register(lab: string, ...resources: Resource[]): void {
  mkdirSync(labFolder(lab), { recursive: true, mode: 0o700 });
  appendFileSync(journalFile(lab), resources.map((resource) => `${JSON.stringify(resource)}\n`).join(""));
}

export function registered(lab: string): Resource[] {
  return existsSync(journalFile(lab)) ? parseJournal(readFileSync(journalFile(lab), "utf8")) : [];
}
