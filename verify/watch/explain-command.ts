import type { NodeAnswer } from "../../agent/observe/explain/answers.ts";
import { explanationLines } from "../../agent/observe/explain/explanation-lines.ts";
import { hanging, widthOf } from "../../components/program/fit.ts";
import { didYouMean } from "../../components/refusal/suggestion.ts";
import { familyOf } from "../../model/address/address.ts";
import { DESTINATION, PORTS, PROTOCOLS, type Protocol } from "../../model/expectation/destination.ts";
import { FormatError, parsePlace, parsePod } from "../../model/expectation/place.ts";
import { type ClusterView, nodeAddresses, podAddresses, podName, serviceAddresses } from "../cluster/view.ts";
import { livePods, machineAddresses, NotYet, nodeOf } from "../engine/lookup.ts";
import type { Machine } from "../engine/world.ts";
import { failed } from "../failed.ts";
import { askEachNode, type ClusterOptions, reachCluster } from "./agents.ts";
import { sayMissing } from "./ask-nodes.ts";
import { readExplanation } from "./read-explanation.ts";

export interface ExplainOptions extends ClusterOptions {
  json: boolean;
  sourcePort?: string;
}

/** Asks the agents of all nodes what policies decide about a flow, and prints the chain of tiers and rules. Sends no packet. @returns
 * the exit status: 0 whatever the verdict is; 1 if a node is missing, 2 if all are */
export async function explainCommand(from: string, to: string, options: ExplainOptions): Promise<number> {
  try {
    const wanted = destinationOf(to);
    const reached = await reachCluster(options);
    const { view, lab } = reached;
    const sources = addressesOf(view, lab.machines, from, false);
    const targets = addressesOf(view, lab.machines, wanted.host, true);
    const target = targets.find((address) => sources.some((source) => familyOf(source) === familyOf(address)));
    const source = sources.find((address) => familyOf(address) === familyOf(target ?? ""));
    if (!target || !source)
      throw new NotYet(
        `${from} and ${wanted.host} have no address of the same family (${[...sources, ...targets].join(", ")})`,
      );
    const words = ["explain", source, argumentOf(target, wanted), "--protocol", wanted.protocol];
    const sourcePort = options.sourcePort === undefined ? [] : ["--source-port", options.sourcePort];
    const answers: NodeAnswer[] = [];
    const asked = await askEachNode(reached, [...words, ...sourcePort], (record, node) =>
      answers.push(readExplanation(record, node)),
    );
    answers.sort((a, b) => a.node.localeCompare(b.node));
    if (options.json) console.log(JSON.stringify(answers, null, 2));
    else if (answers.length > 0) console.log(hanging(explanationLines(answers).join("\n"), widthOf(process.stdout)));
    return sayMissing(asked, "their policies are not asked, so the verdict may be another");
  } catch (error) {
    return failed(error);
  }
}

interface Wanted {
  protocol: Protocol;
  host: string;
  port: number;
}

const ALLOWED = `HOST:PORT, ${DESTINATION}`;

/** Reads `db/pg:5432`, `udp://service/kube-system/kube-dns:53`, `[fd00::8]:80`. */
export function destinationOf(text: string): Wanted {
  const [, scheme = "tcp", rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(text) ?? [];
  const protocol = PROTOCOLS.find((one) => one === scheme);
  if (!protocol) throw new FormatError(`"${scheme}" in "${text}" is no protocol`, ALLOWED);
  const [, host = rest, port] = protocol === "icmp" ? [] : (/^(.+):(\d+)$/.exec(rest) ?? []);
  if (protocol !== "icmp" && (port === undefined || Number(port) < PORTS.least || Number(port) > PORTS.most))
    throw new FormatError(`"${text}" does not end with a port`, ALLOWED);
  return { protocol, host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port ?? 0) };
}

/** Of `inspect explain`; an echo request of the address's family. */
function argumentOf(address: string, { protocol, port }: Wanted): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return `${host}:${protocol === "icmp" ? `${address.includes(":") ? 128 : 8}/0` : port}`;
}

/** The addresses of a machine, `node/NAME`, `pod/NS/NAME`, `service/NS/NAME`, an address, or `NS/NAME`: a service (where one may stand), a
 * pod of that name, or the first one that a workload of that name has made. */
export function addressesOf(
  view: ClusterView,
  machines: readonly Machine[],
  text: string,
  orService: boolean,
): string[] {
  if (familyOf(text)) return [text];
  const [kind = "", namespace = "", name = ""] = text.split("/");
  if (kind === "service" && name) return ofService(view, namespace, name, text);
  if (kind === "pod" || kind === "node") return ofPlace(view, text);
  if (!namespace) return ofMachine(machines, text);
  return ofNamed(view, kind, namespace, text, orService);
}

function ofPlace(view: ClusterView, text: string): string[] {
  const place = parsePlace(text);
  if (place.kind === "node") return nodeAddresses(nodeOf(view, place.name));
  return place.kind === "pod" ? livePods(view, place).flatMap(podAddresses) : [];
}

function ofMachine(machines: readonly Machine[], text: string): string[] {
  const machine = machines.find(({ name }) => name === text);
  if (machine) return machineAddresses(machine);
  const known = machines.map(({ name }) => name);
  const allowed = `an address, NAMESPACE/NAME, node/NAME, service/NAMESPACE/NAME${known.length > 0 ? ` or a machine (${known.join(", ")})` : ""}`;
  throw new FormatError(`there is no machine "${text}"${didYouMean(text, known)}`, allowed);
}

function ofService(view: ClusterView, namespace: string, name: string, text: string): string[] {
  const found = view.services.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name);
  const addresses = found ? serviceAddresses(found) : [];
  if (addresses.length > 0) return addresses;
  const names = view.services.map(({ metadata }) => `service/${metadata?.namespace}/${metadata?.name}`);
  throw new NotYet(found ? `${text} has no address` : `${text} does not exist${didYouMean(text, names)}`);
}

function ofNamed(view: ClusterView, namespace: string, name: string, text: string, orService: boolean): string[] {
  const { labels } = parsePod(text, text);
  const services = view.services.filter(({ metadata }) => metadata?.namespace === namespace);
  const service = services.find(({ metadata }) => metadata?.name === name);
  if (service && orService && serviceAddresses(service).length > 0) return serviceAddresses(service);
  if (labels) return livePods(view, { namespace, labels }).flatMap(podAddresses);
  const pods = view.pods.filter((pod) => pod.metadata?.namespace === namespace && podAddresses(pod).length > 0);
  const pod =
    pods.find((one) => one.metadata?.name === name) ?? pods.find((one) => one.metadata?.name?.startsWith(`${name}-`));
  if (pod) return podAddresses(pod);
  const names = [
    ...pods.flatMap((one) => [podName(one), workloadName(podName(one))]),
    ...(orService ? services.map(({ metadata }) => `${namespace}/${metadata?.name}`) : []),
  ];
  throw new NotYet(`there is no ${orService ? "service or " : ""}pod ${text}${didYouMean(text, names)}`);
}

/** A pod's name without what a Deployment, a DaemonSet or a StatefulSet appends. */
function workloadName(name: string): string {
  return name.replace(/(-[a-z0-9]{5,10})?-[a-z0-9]{5}$|-\d+$/, "");
}
