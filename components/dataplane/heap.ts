// The agent's heap, as its DaemonSet gives it. Measurements start their agents in the same way.

/** Most that the agent's objects may take. 150,000 pods and 10,000 services, the most that Kubernetes promises, took 772 MB
 * (agent/compile/benchmark.ts); a third of it is for objects that are read while others are still held. */
export const HEAP_MEBIBYTES = 1536;

/** Of each half of the heap's young part. V8's own size, 16 or more, is resident several times over after a start with many objects: with 10,000
 * Services with 10 endpoints each it took 100 MB more, and no less processor time. */
const YOUNG_MEBIBYTES = 8;

/** Threads in which V8 marks what is in use and optimizes code, beside the agent's own. V8's number, four, takes both processors of a small node from the
 * thread that writes a change into the maps: of changes of one policy, 99 of 100 took 90 ms instead of 50. */
const BACKGROUND_THREADS = 1;

/** Options of Node that are allowed in NODE_OPTIONS. */
export const heapOptions = (mebibytes: number): string[] => [
  `--max-old-space-size=${mebibytes}`,
  `--max-semi-space-size=${YOUNG_MEBIBYTES}`,
  `--v8-pool-size=${BACKGROUND_THREADS}`,
];

/** Variables of glibc. One arena for all threads: Node has ten that allocate now and then, and what an arena has freed no other one uses. With 10,000
 * Services with 10 endpoints each it took 20 MB more. And its free end is given back from 128 KiB on, as glibc does until a large block is freed for the
 * first time; then it keeps twice that block's size, up to 64 MB: 12 MB more. */
export const MALLOC_VARIABLES = { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "131072" } as const;

/** Node as the DaemonSet starts it, up to the program's name. */
export function nodeAsInPods(): string[] {
  const variables = Object.entries(MALLOC_VARIABLES).map(([name, value]) => `${name}=${value}`);
  return ["env", ...variables, process.execPath, ...heapOptions(HEAP_MEBIBYTES)];
}
