// The life of a node agent, in order: become the only writer, load, restore the previous state, watch until every list
// is complete, reconcile, attach, serve pods. A killed agent leaves everything pinned; the next one repeats these steps.
import type { MapSizes } from "../model/mode/map-sizes.ts";
import { type KindName, kinds } from "../model/objects/kinds.ts";
import { balanceLoad } from "./balancer/load-balancer.ts";
import { Bgp } from "./bgp/bgp.ts";
import type { EndpointStore } from "./cni/endpoint-store.ts";
import { Encryption } from "./encryption/encryption.ts";
import { HealthChecks } from "./health-checks/health-checks.ts";
import { attacher } from "./kernel/attach.ts";
import { Outcome } from "./kernel/layout.gen.ts";
import { type Loaded, type LoadOptions, load, loadPrograms } from "./kernel/load.ts";
import { becomeOnlyWriter } from "./kernel/lock.ts";
import { outcomeCounter } from "./kernel/outcomes.ts";
import { type Pins, pinsUnder, removeOtherLayouts } from "./kernel/pins.ts";
import { switched } from "./kernel/resize.ts";
import { outlivedSockets } from "./kernel/socket-walk.ts";
import { apiServerAddress } from "./machine/node-address.ts";
import { NodeNetwork } from "./machine/node-network.ts";
import { OutgoingPorts } from "./machine/outgoing-ports.ts";
import { retireMasquerade } from "./network/older-masquerade.ts";
import { servePacketEvents } from "./observe/events/packet-events.ts";
import { Health, serveHealth } from "./observe/health.ts";
import type { Logger } from "./observe/log.ts";
import type { AgentMetrics } from "./observe/metrics.ts";
import { serveMetrics } from "./observe/metrics-server.ts";
import { type Counted, nodeMetrics } from "./observe/node-metrics.ts";
import { statusReader } from "./observe/status/status-reader.ts";
import { type AgentOptions, HEALTH_CHECKS_FILE, programFolder, runFile, SALT_FILE } from "./options.ts";
import { Dataplane } from "./pass/dataplane.ts";
import { OutlivedSockets } from "./pass/outlived-sockets.ts";
import { Rounds } from "./pass/rounds.ts";
import { endpointLife } from "./pods/endpoint-life.ts";
import { readBack, recover } from "./pods/known-endpoints.ts";
import { poolUseReader } from "./pods/pools.ts";
import { servePods } from "./pods/serve-pods.ts";
import type { Ending } from "./process/ending.ts";
import { keepHeapSmall } from "./process/heap.ts";
import { Watchdog } from "./process/watchdog.ts";
import { Attachments } from "./programs/attachments.ts";
import { cardsOf, type UplinkCards } from "./programs/uplink-cards.ts";
import { privateFolder } from "./run-folder/private-files.ts";
import { keptSalt } from "./run-folder/salt.ts";
import { untilWritable } from "./run-folder/writable.ts";
import type { Settings } from "./settings.ts";
import { keptMapSizes, sizesFor, startAgainForMapSizes } from "./tables/kept-map-sizes.ts";
import { Tables } from "./tables/tables.ts";
import type { Cluster } from "./watch/cluster.ts";

const REPAIR_MS = 1_000;
const LOOK_AGAIN_MS = 10_000;
const READ_AGAIN_MS = 60_000;

/** The parts of a running agent. */
interface Agent {
  readonly options: AgentOptions;
  readonly log: Logger;
  readonly health: Health;
  readonly pins: Pins;
  readonly loaded: Loaded;
  readonly sizes: MapSizes;
  readonly endpoints: EndpointStore;
  readonly network: NodeNetwork;
  readonly healthChecks: HealthChecks;
  readonly bgp: Bgp;
  readonly metrics: AgentMetrics;
  /** Metrics are served before the cluster is reachable. */
  readonly failingWatches: { of: () => readonly string[] };
  readonly tables: Tables;
  readonly counted: Counted;
  readonly hostLocal: boolean;
}

/** Runs until the process ends. Rejects if it cannot start, with the reason and the next step. `openCluster`
 * gets a callback for changes of objects; `endings` gets what is to be done before the process ends. */
export async function runAgent(
  options: AgentOptions,
  settings: Settings,
  openCluster: (changed: (kind: KindName) => void) => Cluster,
  log: Logger,
  endings: Ending[],
): Promise<never> {
  const agent = await prepare(options, settings, log);
  const { health, endpoints, network, loaded } = agent;

  const ending = { ...options, log, endings };
  const round = async () => {
    const result = await dataplane.apply();
    if (dataplane.paced.isBehind && result !== "failed") rounds.trigger();
    health.is("the kernel does not have the cluster's state (see the agent's log)", result === "failed");
    cluster.remember?.();
    await startAgainForMapSizes(ending, agent.sizes, cluster.store.list("felixConfigurations"));
    return result;
  };
  const rounds = new Rounds(round, agent.metrics.programmed, () => dataplane.paced.behindSince);
  agent.healthChecks.waitingMs = () => rounds.waitingMs;
  const cluster = openCluster((kind) => rounds.changed(kinds[kind].kind));
  agent.failingWatches.of = () => cluster.store.failing();
  let attachments: Attachments | undefined;
  const encryption = new Encryption({
    ...options,
    publish: (publicKey) => cluster.publishKey(options.node, publicKey),
    ...{ log, failure: () => network.encryptionFailure },
    attach: () => attachments?.repair(endpoints.list()) ?? false,
  });
  const dataplane = new Dataplane({
    options,
    cluster,
    endpoints,
    network,
    maps: loaded.maps,
    healthChecks: agent.healthChecks,
    bgp: agent.bgp,
    encryption,
    metrics: agent.metrics,
    log,
  });
  Object.assign(agent.counted, { by: dataplane, encryption } satisfies Counted);
  const pools = poolUseReader(cluster.store, agent.hostLocal);
  agent.counted.pools = pools;
  agent.tables.follow(dataplane, log);
  const outgoing = new OutgoingPorts({
    ...options,
    exhausted: outcomeCounter(agent.pins, Outcome.DROP_PORTS_EXHAUSTED),
  });
  const cards = cardsOf(agent, cluster.store);
  dataplane.otherProblems.push(() => [...outgoing.problems(), ...cards.problems()]);
  health.waitsFor(`complete lists from ${cluster.name}`);
  const watching = cluster.run(new AbortController().signal);
  await Promise.race([rounds.until(() => cluster.store.complete), watching]);
  recover(agent, cluster.store.list("pods"));
  health.waitsFor("the kernel to have the cluster's state (see the agent's log)");
  await rounds.start();
  endings.push(() => agent.bgp.end());
  attachments = attach(agent, cards);
  rounds.trigger(); // peers of encrypted packets wait for the programs
  const told = () => outlivedSockets(loaded.programFd("outlived_sockets"), agent.pins);
  const outlived = new OutlivedSockets({ maps: loaded.maps, endpoints: () => endpoints.list(), told, log });
  dataplane.onWritten = (maps) => outlived.written(maps);
  const { regularly } = new Watchdog(health, log);
  const attached = attachments;
  regularly("check the machine", LOOK_AGAIN_MS, async () => {
    outlived.changed();
    attached.lookAgain(options.cgroupRoot);
    await dataplane.lookAgain();
    rounds.trigger();
  });
  regularly("bring the cluster's state to the kernel", LOOK_AGAIN_MS, () => rounds.expectProgress());
  regularly("look at BGP sessions", LOOK_AGAIN_MS, () => agent.bgp.look(() => rounds.trigger()));
  regularly("read the maps", READ_AGAIN_MS, () => dataplane.readAgain());
  regularly("check the programs on the interfaces", REPAIR_MS, () => attached.look(endpoints.list()));
  await untilWritable(options.runDirectory, health, log);
  const loadTraced = () => loadPrograms(loadOptions(options, agent.pins, agent.sizes), "_traced");
  const programs = { loaded, pins: agent.pins, attachments: attached, loadTraced };
  const status = statusReader(agent, { cluster, dataplane, rounds, attachments: attached, encryption, cards, pools });
  const answers = {
    ...{ pools, status, settings: () => ({ settings, options }) },
    metrics: () => agent.metrics.registry.getMetricsAsJSON(),
  };
  endings.push(await servePacketEvents(options, programs, cluster.store, dataplane, answers, log));
  if (settings.loadBalancer && cluster.hastyApi)
    endings.push(balanceLoad(agent, cluster, cluster.hastyApi, dataplane, rounds));
  const life = endpointLife({ network, attachments: attached, dataplane, rounds });
  await servePods(agent, cluster, rounds, dataplane, life);
  health.isReady();
  keepHeapSmall();
  log.info(`ready: ${endpoints.list().length} endpoints on this node`);

  await watching;
  throw new Error(`Watching ${cluster.name} ended.`);
}

async function prepare(options: AgentOptions, settings: Settings, log: Logger): Promise<Agent> {
  const health = new Health();
  await serveHealth(health, options.healthPort);
  privateFolder(options.runDirectory);
  const waiting = "another agent of this node to end";
  health.waitsFor(waiting);
  await becomeOnlyWriter(runFile(options, "agent.lock"), () => log.info(`waiting for ${waiting}`));
  const healthChecks = new HealthChecks({
    node: options.node,
    proxyPort: options.proxyHealthPort,
    memory: runFile(options, HEALTH_CHECKS_FILE),
    log,
  });
  await healthChecks.restore();
  const bgp = new Bgp({ ...options, log });
  const pins = pinsUnder(options.pinRoot);
  const sizes = sizesFor(keptMapSizes(options.runDirectory));
  const loaded = load(loadOptions(options, pins, sizes));
  const endpoints = readBack(runFile(options, "endpoints.json"), log);
  const { uplinks = [], mtu } = settings;
  const network = new NodeNetwork({
    nodeName: options.node,
    uplinks,
    mtu,
    sysctls: { memory: runFile(options, "sysctls.json"), root: options.sysctlRoot },
    serviceSubnet: settings.serviceSubnet,
    serviceSubnetIpv6: settings.serviceSubnetIpv6,
    apiServer: apiServerAddress(process.env),
    loadBalancer: settings.loadBalancer,
    countsServices: settings.serviceMetrics !== undefined,
    salt: keptSalt(runFile(options, SALT_FILE)),
  });
  const failingWatches = { of: (): readonly string[] => [] };
  const counted: Counted = {};
  const tables = new Tables({ node: options.node, pins, maps: loaded.maps, sizes });
  const metrics = nodeMetrics({
    ...{ pins, tables, counted, log, services: settings.serviceMetrics },
    endpoints: () => endpoints.list().length,
    failingWatches: () => failingWatches.of(),
    bgpSessions: () => bgp.counted,
  });
  const { metricsAddress: address, metricsPort: port, metricsTls: tls, metricsToken: token } = options;
  await serveMetrics(metrics, { address, port, tls, token }, log);
  return {
    options,
    log,
    health,
    pins,
    loaded,
    sizes,
    endpoints,
    network,
    healthChecks,
    bgp,
    metrics,
    failingWatches,
    tables,
    counted,
    hostLocal: settings.ipam === "HostLocal",
  };
}

function loadOptions(options: AgentOptions, pins: Pins, sizes: MapSizes): LoadOptions {
  return { objects: programFolder(), pins, logFile: runFile(options, "verifier.log"), sizes };
}

/** From here on packets are handled by this agent's programs; maps of older programs can be removed. */
function attach({ options, log, pins, loaded, network, endpoints }: Agent, cards: UplinkCards): Attachments {
  const attacherOf = (programs: Pick<Loaded, "programFd">) => attacher(programs, pins, options.attach === "clsact");
  const attachments = new Attachments(attacherOf, loaded, network, log, cards);
  const attached = (replaced: () => void) => attachments.ensure(() => endpoints.list(), options.cgroupRoot, replaced);
  for (const sentence of switched(pins, loaded.maps, attached)) log.info(sentence);
  for (const layout of removeOtherLayouts(pins))
    log.info(`removed the maps of layout ${layout}: they are no longer used`);
  if (retireMasquerade())
    log.info("removed the nftables rules of an older agent for natOutgoing: the programs translate");
  return attachments;
}
