import type { BgpConfiguration } from "../objects/bgp/configuration.ts";
import type { SecretReference } from "../objects/bgp/fields.ts";
import { asNumberOf, BGP_PORT, DEFAULT_AS_NUMBER } from "../objects/bgp/values.ts";
import type { Node } from "../objects/core.ts";
import type { Problem } from "../problem.ts";

/** The settings for all nodes in BGPConfiguration "default"; without it, Calico's defaults. */
export interface BgpSettings {
  readonly mesh: boolean;
  readonly asNumber: number;
  readonly port: number;
  readonly password: SecretReference | undefined;
  readonly restartSeconds: number | undefined;
}

/** A node as BGP sees it. */
export interface Speaker {
  readonly name: string;
  readonly asNumber: number;
  /** Of a route reflector: it announces to its clients what it hears from others. */
  readonly clusterId: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

const AS_NUMBER = "projectcalico.org/ASNumber";
const CLUSTER_ID = "projectcalico.org/RouteReflectorClusterID";

export function defaultBgpConfiguration(all: readonly BgpConfiguration[]): BgpConfiguration | undefined {
  return all.find(({ metadata }) => metadata.name === "default");
}

export function bgpSettings(configuration: BgpConfiguration | undefined): BgpSettings {
  const spec = configuration?.spec;
  return {
    mesh: spec?.nodeToNodeMeshEnabled ?? true,
    asNumber: spec?.asNumber ?? DEFAULT_AS_NUMBER,
    port: spec?.listenPort ?? BGP_PORT,
    password: spec?.nodeMeshPassword?.secretKeyRef,
    restartSeconds: spec?.nodeMeshMaxRestartTime ?? undefined,
  };
}

export function speakersOf(nodes: readonly Node[], { asNumber }: BgpSettings): readonly Speaker[] {
  return nodes.map(({ metadata: { name, labels, annotations } }) => {
    const clusterId = annotations?.[CLUSTER_ID];
    return {
      name,
      asNumber: asNumberOf(annotations?.[AS_NUMBER] ?? "") ?? asNumber,
      clusterId: clusterId !== undefined && isClusterId(clusterId) ? clusterId : undefined,
      labels: labels ?? {},
    };
  });
}

/** Of this node's own annotations. */
export function speakerProblems(node: Node | undefined): Problem[] {
  const annotations = node?.metadata.annotations ?? {};
  const [number, id] = [annotations[AS_NUMBER], annotations[CLUSTER_ID]];
  const faulty = (annotation: string, message: string): Problem => ({
    kind: "Node",
    name: node?.metadata.name ?? "",
    path: `metadata.annotations[${annotation}]`,
    message,
  });
  return [
    ...(number !== undefined && asNumberOf(number) === undefined
      ? [faulty(AS_NUMBER, "is no AS number; the node has the cluster's.")]
      : []),
    ...(id !== undefined && !isClusterId(id)
      ? [faulty(CLUSTER_ID, "has not the form of an IPv4 address; the node is no route reflector.")]
      : []),
  ];
}

function isClusterId(text: string): boolean {
  return (
    /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text !== "0.0.0.0" && text.split(".").every((part) => Number(part) < 256)
  );
}
