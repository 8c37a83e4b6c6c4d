/** A limit that only a hang reaches, however busy the machine is; an emulated one takes longer (test/kernels). */
const PATIENCE_S = Number(process.env.EBPF_DATAPLANE_PATIENCE_S || 150);

/** Waits for evidence, bounded. It asks less often the longer it takes: most questions start programs, which keep others waiting. */
export async function until(what: string, holds: () => Promise<boolean>, more = () => ""): Promise<void> {
  const end = Date.now() + PATIENCE_S * 1000;
  for (let pause = 50; !(await holds()); pause = Math.min(1.3 * pause, 500)) {
    if (Date.now() > end) throw new Error(`Waited ${PATIENCE_S} s for ${what}.\n${more()}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
