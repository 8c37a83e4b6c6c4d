import { apiServerOf } from "../kubernetes/kubeconfig.ts";
import { namedKubeconfig } from "./connect.ts";
import type { Verification } from "./format/document.ts";
import { reachLab } from "./lab.ts";
import { messageOf, type SessionOptions, status } from "./session.ts";
import { suiteFile } from "./suite/cluster-suite.ts";
import { suiteOf } from "./suite/of-cluster.ts";

/** Prints the suite as a check file for this cluster, and changes nothing. @returns the exit status */
export async function printSuite(options: SessionOptions, read: () => Verification): Promise<number> {
  try {
    const { machines: remote } = read();
    const { lab } = await reachLab(options.lab);
    const config = namedKubeconfig(options, lab, false);
    const { probeImage } = options;
    process.stdout.write(suiteFile(await suiteOf({ api: apiServerOf(config), config, lab, remote, probeImage })));
    return status.held;
  } catch (error) {
    console.error(messageOf(error));
    return status.unusable;
  }
}
