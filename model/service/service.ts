import type { ReturnMode } from "../mode/mode.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { Service, ServicePort } from "../objects/core.ts";
import type { EndpointSlice } from "../objects/discovery.ts";
import { ignoredAnnotations } from "../objects/ignored.ts";
import { type KubernetesObject, objectName } from "../objects/metadata.ts";
import type { Problem } from "../problem.ts";
import { each, type Steps } from "../steps.ts";
import type { Backend } from "./backend.ts";
import { type BackendList, clusterList, localList, NO_BACKENDS, withDraining, withTable } from "./backend-lists.ts";
import { backendSelectionProblem, tableEntries } from "./backend-selection.ts";
import { backendsOf, type KnownPods, type SliceFault } from "./backends.ts";
import { notServed } from "./frontend-claims.ts";
import type { FrontendRules } from "./frontend-rules.ts";
import { clusterAddresses, type FrontendRule, frontends } from "./frontends.ts";
import { type HealthCheck, healthCheckOf, healthCheckRules } from "./health-check.ts";
import { returnModeOfService, returnModeProblem } from "./return-mode.ts";
import type { RangeSet, SourceRanges } from "./source-ranges.ts";

/** A frontend with the backends that it chooses among. */
export interface ServedFrontend extends FrontendRule {
  readonly list: BackendList;
  /** How long a client keeps its backend; 0: each connection has its own. */
  readonly affinitySeconds: number;
  /** How replies return to clients outside the cluster; undefined: as the cluster's do. */
  readonly returnMode?: ReturnMode | undefined;
}

/** One Service, or what is served for the host ports of one pod, as frontends that choose among lists of backends. */
export interface CompiledService {
  /** "Service default/web", "Pod default/web" */
  readonly owner: string;
  readonly kind: string;
  readonly object: KubernetesObject;
  readonly frontends: readonly ServedFrontend[];
  readonly lists: readonly BackendList[];
  /** Whom its frontends name as clients. */
  readonly clients: readonly RangeSet[];
  /** All of them, also those that terminate and stand in no list. */
  readonly backends: readonly Backend[];
  /** What a load balancer is told, if it asks. */
  readonly healthCheck?: HealthCheck | undefined;
  readonly problems: readonly Problem[];
}

// The default of sessionAffinityConfig.clientIP.timeoutSeconds in the API.
const DEFAULT_AFFINITY_SECONDS = 10800;

// A Service with one of these labels, whatever its value, is for another proxy or for none: kube-proxy does not list it.
const NOT_FOR_PROXIES = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"];

/** Whether a Service, or an EndpointSlice, is left alone by its labels. */
export function isLeftAlone({ metadata }: KubernetesObject): boolean {
  return NOT_FOR_PROXIES.some((label) => metadata.labels?.[label] !== undefined);
}

/** "Service default/web" */
export function ownerOf(service: Service): string {
  return `Service ${objectName(service)}`;
}

/** Whether clients reach it by translation: not those of another proxy, headless ones, or names of something else. */
export function isServed(service: Service): boolean {
  return !isLeftAlone(service) && service.spec.type !== "ExternalName" && clusterAddresses(service).length > 0;
}

/** Compiles one Service with the EndpointSlices that belong to it. */
export function* compileService(
  service: Service,
  slices: readonly EndpointSlice[],
  nodes: NodeDirectory,
  pods: KnownPods,
  allowed: FrontendRules,
  ranges: SourceRanges,
): Steps<CompiledService> {
  if (!isServed(service)) return withoutFrontends(service);
  const about = { owner: ownerOf(service), kind: "Service", object: service };
  const parts: PortRule[] = [];
  const hasTables = tableEntries(service, slices) > 0;
  const faulty = new Map<EndpointSlice, SliceFault>();
  for (const port of service.spec.ports) {
    parts.push(...(yield* compilePort(service, port, ranges, slices, nodes, pods, hasTables, faulty)));
    yield;
  }
  const reserved = healthCheckRules(service).map((rule) => ({ rule, list: NO_BACKENDS, all: [] }));
  const asked = [...parts, ...reserved].map((part) => ({
    ...part,
    refusal: allowed.refusal(part.rule.claim, part.rule.key, service),
  }));
  const rules = asked.filter(({ refusal }) => refusal === undefined);
  const choices = { affinitySeconds: affinitySeconds(service), returnMode: returnModeOfService(service) };
  // slice(): what was filled item by item keeps room for more.
  const lists = [...new Set(rules.map(({ list }) => list))].filter((list) => list !== NO_BACKENDS).slice();
  const backends = yield* eachOnce([...new Set(rules.map(({ all }) => all))]);
  return {
    ...about,
    frontends: rules.map(({ rule, list }) => ({ ...rule, list, ...choices })),
    lists,
    clients: [...new Set(rules.flatMap(({ rule }) => rule.clients ?? []))],
    healthCheck: healthCheckOf(service, backends),
    backends: yield* withDraining(backends, lists),
    problems: [
      ...problems(service, slices),
      ...[...faulty].map(([slice, fault]) => sliceProblem(slice, fault)),
      ...ranges.problems,
      ...notServed(
        about,
        asked.flatMap(({ rule, refusal }) => (refusal ? [{ rule, reason: refusal }] : [])),
      ),
    ],
  };
}

/** The backends of several ports, each once. */
function* eachOnce(ofPorts: readonly (readonly Backend[])[]): Steps<readonly Backend[]> {
  const [only = [], another] = ofPorts;
  if (!another) return only;
  const found = new Map<string, Backend>();
  for (const all of ofPorts) yield* each(all, (backend) => found.set(backend.name, backend));
  return [...found.values()];
}

/** The result for an object that is not served. */
export const NOTHING = { frontends: [], lists: [], clients: [], backends: [], problems: [] } as const;

export function withoutFrontends(service: Service): CompiledService {
  return { owner: ownerOf(service), kind: "Service", object: service, ...NOTHING };
}

interface PortRule {
  readonly rule: FrontendRule;
  readonly list: BackendList;
  readonly all: readonly Backend[];
}

function* compilePort(
  service: Service,
  port: ServicePort,
  ranges: SourceRanges,
  slices: readonly EndpointSlice[],
  nodes: NodeDirectory,
  pods: KnownPods,
  hasTables: boolean,
  faulty: Map<EndpointSlice, SliceFault>,
): Steps<PortRule[]> {
  const rules = frontends(service, port, ranges);
  const byFamily = Map.groupBy(rules, (rule) => rule.family);
  const found: PortRule[] = [];
  for (const [family, ofFamily] of byFamily) {
    const publishNotReady = service.spec.publishNotReadyAddresses === true;
    const all = yield* backendsOf(port, family, slices, publishNotReady, nodes, pods, faulty);
    yield;
    const name = `${objectName(service)}:${port.name || port.port}/${port.protocol ?? "TCP"}/${family}`;
    const isConsistent = hasTables && ofFamily.some(({ trafficPolicy }) => trafficPolicy === "Cluster");
    const cluster = isConsistent ? yield* withTable(clusterList(name, all)) : clusterList(name, all);
    const local = localList(cluster, all);
    found.push(...ofFamily.map((rule) => ({ rule, list: rule.trafficPolicy === "Local" ? local : cluster, all })));
  }
  return found;
}

function affinitySeconds({ spec }: Service): number {
  if (spec.sessionAffinity !== "ClientIP") return 0;
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
}

function sliceProblem({ metadata: { namespace, name } }: EndpointSlice, { path, why }: SliceFault): Problem {
  return { kind: "EndpointSlice", namespace: namespace ?? undefined, name, path, message: why };
}

function problems(service: Service, slices: readonly EndpointSlice[]): Problem[] {
  const { metadata } = service;
  const about = (path: string, message: string): Problem => ({
    kind: "Service",
    namespace: metadata.namespace ?? undefined,
    name: metadata.name,
    path,
    message,
  });
  const wrong = [returnModeProblem(service), backendSelectionProblem(service, slices)];
  return [
    ...wrong.flatMap((one) => (one ? [about(one.path, one.message)] : [])),
    ...ignoredAnnotations("Service", metadata),
  ];
}
