import { type Address, type Cidr, covers, hostCidr, readCidr } from "../address/address.ts";
import { modeOf } from "../mode/configuration.ts";
import { annotations as named } from "../mode/mode.ts";
import type { FelixConfiguration } from "../objects/calico.ts";
import type { Problem } from "../problem.ts";

/** At which addresses of nodes, and of their loopback, node ports answer (kube-proxy's `nodePortAddresses`). */
export interface NodePortAddresses {
  /** @param primary whether it is the address by which its node is known in its family */
  serves(address: Address, primary: boolean): boolean;
  readonly problems: readonly Problem[];
}

const PATH = `metadata.annotations["${named.nodePortAddresses}"]`;

/** The only keyword; everything else is a network. */
const PRIMARY = "primary";

export const EVERYWHERE: NodePortAddresses = { serves: () => true, problems: [] };

/** Parses the setting. It is a restriction, so a text that cannot be parsed leaves only the primary addresses. While kube-proxy handles
 * Services, node ports are its own. */
export function nodePortAddresses(configuration: FelixConfiguration | undefined): NodePortAddresses {
  const written = configuration?.metadata.annotations?.[named.nodePortAddresses];
  const texts = (written ?? "").split(",").flatMap((text) => text.trim() || []);
  if (texts.length === 0 || modeOf(configuration).serviceHandling !== "Ebpf") return EVERYWHERE;
  const networks = texts.map((text) => readCidr(text));
  const primaryOnly = texts.length === 1 && texts[0] === PRIMARY;
  if (primaryOnly || networks.includes(undefined)) {
    return { serves: (_, primary) => primary, problems: primaryOnly ? [] : [unreadable(texts)] };
  }
  return { serves: (address) => isIn(address, networks), problems: [] };
}

function isIn(address: Address, networks: readonly (Cidr | undefined)[]): boolean {
  const host = hostCidr(address);
  return networks.some((network) => network !== undefined && covers(network, host));
}

function unreadable(texts: readonly string[]): Problem {
  const wrong = texts.find((text) => readCidr(text) === undefined) ?? "";
  const what = wrong === PRIMARY ? `"${PRIMARY}" stands beside networks` : `"${wrong.slice(0, 50)}" is no CIDR`;
  const next = `Next: write ${PRIMARY} alone, or networks like 172.31.0.0/16.`;
  const message = `${what}; node ports answer at the nodes' primary addresses only. ${next}`;
  return { kind: "FelixConfiguration", name: "default", path: PATH, message };
}
