// npm packages as components: their own metadata, and their hash in the lock file.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Component } from "./document.ts";

interface LockEntry {
  version?: string;
  license?: string;
  integrity?: string;
  dev?: boolean;
  devOptional?: boolean;
  peer?: boolean;
}

type Lock = Record<string, LockEntry>;

/** @param file a package-lock.json */
export const readLock = (file: string): Lock => JSON.parse(readFileSync(file, "utf8")).packages;

/** @param place of the package in the lock file: node_modules/NAME */
export function npmComponent(lock: Lock, place: string, how: "bundled" | "installed by npm"): Component {
  const { version = "", license, integrity } = lock[place] ?? {};
  const name = place.replace(/^.*node_modules\//, "");
  if (!version) throw new Error(`Cannot list ${place}: it is not in the lock file. Next: npm install.`);
  const purl = `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
  return { type: "library", name, version, purl, license, integrity, more: { how } };
}

/** The packages that a user's npm installs with the package, in the tested versions. */
export function dependencies(lock: Lock): Component[] {
  const places = Object.keys(lock).filter((place) => {
    const { dev, devOptional, peer } = lock[place] as LockEntry;
    return place !== "" && !dev && !devOptional && !peer;
  });
  return places.map((place) => npmComponent(lock, place, "installed by npm"));
}

/** Node itself. */
export function nodeComponent(root: string, processor: string): Component {
  const name = `node-linux-${processor}`;
  const lock = readLock(join(root, "tools", "node", "package-lock.json"));
  const { version = "", integrity } = lock[`node_modules/${name}`] ?? {};
  const license = "in share/doc/node/LICENSE";
  return { type: "application", name, version, purl: `pkg:npm/${name}@${version}`, license, integrity };
}
