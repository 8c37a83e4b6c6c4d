import * as pulumi from "@pulumi/pulumi";

/** Refusals while a program runs, also of values that are known later: the SDK rejects promises that no other code handles. */
export async function refusalsOf(program: () => unknown): Promise<string> {
  const refusals: string[] = [];
  const remember = (error: Error) => refusals.push(error.message);
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", remember);
  try {
    program();
    await pulumi.runtime.disconnect().catch(remember);
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    process.off("unhandledRejection", remember);
    for (const listener of listeners) process.on("unhandledRejection", listener);
  }
  return refusals.join("\n");
}
