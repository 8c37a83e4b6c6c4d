import { hanging } from "../../components/program/fit.ts";
import type { ListedLab } from "./list.ts";

/** The labs for people: a paragraph each. @param width of the terminal; a command, which is there to be copied, is one line in any */
export function inWords(labs: ListedLab[], width?: number): string {
  if (labs.length === 0) return "There is no lab on this computer. 'make up' makes one.\n";
  const fitted = (lab: ListedLab) => [
    ...facts(lab).map((text) => hanging(text, width)),
    ...line("remove with", lab.remove),
  ];
  return labs.map((lab) => `${fitted(lab).join("\n")}\n`).join("\n");
}

function facts(lab: ListedLab): string[] {
  const { state, reason, kubernetesVersion, memoryBytes, machines } = lab;
  const what = { cluster: `Kubernetes ${kubernetesVersion}`, cloud: "rehearsal of AWS", machines: "machines alone" };
  const memory = memoryBytes === undefined ? [] : [`${gibibytes(memoryBytes)} of memory`];
  const head = [`${lab.lab}: ${state}`, what[lab.kind], ...memory].join(", ");
  const ofRole = (isNode: boolean) => machines.filter(({ role }) => (role === "client") !== isNode).map(place);
  return [
    head,
    ...line("why", reason),
    ...line("made", originText(lab)),
    ...line("stack", lab.stack),
    ...line("nodes", ofRole(true)),
    ...line("clients", ofRole(false)),
    ...line("namespaces", lab.namespaces),
    ...line("API server", lab.apiServer && `${lab.apiServer.url}, ${lab.apiServer.ready ? "ready" : "no answer"}`),
    ...line("kubeconfig", lab.kubeconfig),
  ];
}

const LABEL = 13;

/** One line for each of several values. */
function line(label: string, values: string | string[] | undefined): string[] {
  const [first, ...others] = [values ?? []].flat();
  if (first === undefined) return [];
  return [`  ${label.padEnd(LABEL)}${first}`, ...others.map((other) => `  ${" ".repeat(LABEL)}${other}`)];
}

function place({ name, role, address, addressIpv6, running, memoryBytes }: ListedLab["machines"][number]): string {
  const size = memoryBytes === undefined ? "" : `, ${gibibytes(memoryBytes)}`;
  const addresses = addressIpv6 ? `${address}, ${addressIpv6}` : address;
  const part = role === "client" || role === "worker" ? "" : ` (${role})`;
  return `${name}${part} ${addresses}${running ? size : ", does not run"}`;
}

/** By whom, from where and when. */
function originText({ user, checkout, since }: ListedLab): string | undefined {
  const when = since && `on ${since.slice(0, 16).replace("T", " ")} UTC`;
  const words = [user && `by ${user}`, checkout && `from ${checkout}`, when].filter(Boolean);
  return words.length > 0 ? words.join(" ") : undefined;
}

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
