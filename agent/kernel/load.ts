// Loads the compiled objects through the verifier. Existing pinned maps are reused, so that a restarted agent finds the state that the
// packet path uses. Programs that an earlier agent loaded are reused too. Nothing is attached here.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MapSizes } from "../../model/mode/map-sizes.ts";
import { keepPrograms, keptPrograms } from "./kept-programs.ts";
import { KernelMap } from "./kernel-map.ts";
import { describeError, lastError, libbpf, type Pointer } from "./libbpf.ts";
import type { MapStores } from "./map-store.ts";
import { eachStored } from "./memory-map.ts";
import { mapInfo } from "./object-info.ts";
import { olderSecret } from "./older-layouts.ts";
import { openMap, type Pins, preparePins } from "./pins.ts";
import { objectNames, type ProgramName, programNames, programs } from "./programs.ts";
import { setAside } from "./resize.ts";
import { ensureSecret } from "./secret.ts";

export interface LoadOptions {
  /** The folder of uplink.bpf.o, workload.bpf.o … */
  readonly objects: string;
  readonly pins: Pins;
  /** File for the verifier's full log when it rejects a program. */
  readonly logFile: string;
  /** How many entries maps have; the others have the sizes in bpf/. A pinned map of another size is set aside. */
  readonly sizes?: Partial<MapSizes>;
}

/** Programs in the kernel, ready to be attached, and the maps they use. */
export interface Loaded {
  readonly maps: MapStores;
  programFd(name: ProgramName): number;
}

export function load(options: LoadOptions): Loaded {
  preparePins(options.pins);
  setAside(options.pins, options.sizes ?? {});
  const kept = keptPrograms(options.objects, options.pins);
  const programFd = kept ? (name: ProgramName) => kept.get(name) as number : loadedAndKept(options);
  const maps = openMaps(options.pins);
  ensureSecret(maps.secrets, () => olderSecret(options.pins, maps));
  return { maps, programFd };
}

/** The objects stay open while the agent runs: their file descriptors keep the programs in the kernel. */
function loadedAndKept(options: LoadOptions) {
  const { programFd } = loadPrograms(options, "");
  keepPrograms(options.objects, options.pins, programFd);
  return programFd;
}

/** Loaded programs of one build. */
export interface LoadedPrograms {
  programFd(name: ProgramName): number;
  /** Unloads them; attached programs stay. */
  close(): void;
}

/** Loads one build of every program: the ordinary one, or the one that reports a traced packet's steps (tools/bpf.ts). */
export function loadPrograms(options: LoadOptions, build: "" | "_traced"): LoadedPrograms {
  const objects: Pointer[] = [];
  const close = () => {
    for (const object of objects) libbpf().objectClose(object);
  };
  const fds = new Map<string, number>();
  try {
    for (const name of objectNames) {
      const { object, path } = loadObject(`${name}${build}`, options);
      objects.push(object);
      for (const program of programsOf(name)) fds.set(program, programFd(object, program, path));
    }
  } catch (error) {
    close();
    throw error;
  }
  return { programFd: (name) => fds.get(name) as number, close };
}

/** The pinned maps of this layout, also for a process that only reads. */
export function openMaps(pins: Pins): MapStores {
  return eachStored((definition) => {
    const fd = openMap(pins, definition.name);
    return new KernelMap({ ...definition, maxEntries: mapInfo(fd).maxEntries }, fd);
  });
}

function loadObject(
  name: string,
  { objects, pins, logFile, sizes = {} }: LoadOptions,
): { object: Pointer; path: string } {
  const path = join(objects, `${name}.bpf.o`);
  const messages: string[] = [];
  libbpf().onMessage((text) => messages.push(text));
  const object = libbpf().objectOpen(path, openOptions(pins.maps));
  if (!object) throw new Error(`Cannot open ${path}: ${describeError(lastError())}. Next: make bpf.`);
  for (const [map, count] of Object.entries(sizes)) {
    const found = libbpf().findMap(object, map); // sockets' programs have fewer
    if (found) libbpf().setMaxEntries(found, count);
  }
  const result = libbpf().objectLoad(object);
  libbpf().onMessage(() => undefined); // later errors are reported by return values
  if (result < 0) {
    libbpf().objectClose(object);
    throw loadError(name, result, messages.join(""), logFile);
  }
  return { object, path };
}

function programsOf(object: string): ProgramName[] {
  return programNames.filter((name) => programs[name].object === object);
}

function programFd(object: Pointer, program: string, path: string): number {
  const found = libbpf().findProgram(object, program);
  if (!found) throw new Error(`${path} has no program ${program}: its version differs from this agent's.`);
  return libbpf().programFd(found);
}

// struct bpf_object_open_opts up to pin_root_path. The text it points to must live until the call returns (libbpf
// copies it), so it is kept in this variable.
let pinRoot: Buffer;
function openOptions(folder: string): Uint8Array {
  pinRoot = Buffer.from(`${folder}\0`);
  const options = new Uint8Array(32);
  const view = new DataView(options.buffer);
  view.setBigUint64(0, 32n, true);
  view.setBigUint64(24, libbpf().addressOf(pinRoot), true);
  return options;
}

function loadError(object: string, result: number, log: string, logFile: string): Error {
  writeFileSync(logFile, log);
  const program = /prog '(\w+)'/.exec(log)?.[1];
  const verifier = /-- BEGIN PROG LOAD LOG --\n([\s\S]*?)-- END PROG LOAD LOG --/.exec(log)?.[1];
  const lines = (verifier ?? log).trimEnd().split("\n");
  const shown = lines.slice(-8).map((line) => `  ${line}`);
  return new Error(
    [
      `The kernel rejected ${program ? `program ${program} of ` : ""}${object}.bpf.o: ${describeError(result)}.`,
      ...shown,
      `Full log: ${logFile}`,
    ].join("\n"),
  );
}
