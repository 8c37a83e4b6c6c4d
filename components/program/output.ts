/**
 * For the programs of this package. A reader that has enough (`| head`) ends nothing: what is left of the output goes nowhere, and the exit
 * status stays what it is. Output that cannot be written otherwise, as to a full disk, is a failure in one sentence.
 */
export function keepOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", ({ code, message }: NodeJS.ErrnoException) => {
      if (code === "EPIPE") return;
      if (stream === process.stdout) process.stderr.write(`the output cannot be written: ${message}\n`);
      process.exit(1);
    });
}
