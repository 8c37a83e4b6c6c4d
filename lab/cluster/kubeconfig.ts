import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { kubeconfigFile, machineDisk } from "../names.ts";

interface Kubeconfig {
  clusters: { cluster: { server: string } }[];
}

/** The control plane's admin kubeconfig, with the forwarder instead of an address that only machines can reach. */
export function writeKubeconfig(lab: string, controlPlane: string, port: number): string {
  const config = parse(
    readFileSync(join(machineDisk(lab, controlPlane), "etc/kubernetes/admin.conf"), "utf8"),
  ) as Kubeconfig;
  for (const { cluster } of config.clusters) cluster.server = `https://127.0.0.1:${port}`;
  const text = stringify(config);
  writeFileSync(kubeconfigFile(lab), text, { mode: 0o600 });
  return text;
}
