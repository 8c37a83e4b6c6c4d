/** Exit status of a program that its user stopped. */
export const stoppedStatus = 130;

/** The first signal stops after the current operation and cleans up; a second one exits at once. */
export function stopOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(stoppedStatus);
      console.error(`${signal}: stopping, and removing what was created; repeat to exit without removing it`);
      controller.abort();
    });
  }
  return controller.signal;
}

/** Was stopped by its user. */
export class Stopped extends Error {}

/** The work's result. If it is stopped, rejects at once, so that its remains can be removed. @throws Stopped */
export async function unlessStopped<Result>(stopping: AbortSignal, work: Promise<Result>): Promise<Result> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = () => reject(new Stopped("stopped"));
  if (stopping.aborted) stop();
  stopping.addEventListener("abort", stop);
  try {
    return await Promise.race([stopped, work]);
  } finally {
    stopping.removeEventListener("abort", stop);
    stopped.catch(() => {});
    work.catch(() => {}); // nobody waits for it any more
  }
}
