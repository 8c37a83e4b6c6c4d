// How a campaign in a guest says how far it is: on the console, beside the kernel's messages.

export const progressLine = (text: string): string => JSON.stringify({ progress: text });

/** @returns what was said; undefined for any other line */
export function progressIn(line: string): string | undefined {
  try {
    const said: unknown = JSON.parse(line);
    const { progress } = (said ?? {}) as { progress?: unknown };
    return typeof progress === "string" ? progress : undefined;
  } catch {
    return undefined;
  }
}
