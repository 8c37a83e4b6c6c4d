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
