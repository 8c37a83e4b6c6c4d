import * as pulumi from "@pulumi/pulumi";

/** What is refused while a program runs, of values that are known later too: the SDK rejects promises that nobody else has. */
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
