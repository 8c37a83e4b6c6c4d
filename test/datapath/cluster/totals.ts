import { closeSync } from "node:fs";
import { maps } from "../../../agent/kernel/layout.gen.ts";
import { type OutcomeTotals, readOutcomes } from "../../../agent/kernel/outcomes.ts";
import { openMap, pinsUnder } from "../../../agent/kernel/pins.ts";
import { firstProcess } from "../../../lab/machines/machine.ts";

/** The packets and bytes of each outcome on a machine's node, from its maps: to start `inspect outcomes` there costs a hundred times as much. */
export function outcomeTotals(lab: string, machine: string): OutcomeTotals {
  const first = firstProcess(lab, machine);
  if (!first) throw new Error(`The machine ${machine} does not run.`);
  const fd = openMap(pinsUnder(`/proc/${first.pid}/root/sys/fs/bpf/ebpf-dataplane`), maps.outcomes.name);
  try {
    return readOutcomes(fd);
  } finally {
    closeSync(fd);
  }
}
