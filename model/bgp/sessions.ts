import { type Address, type Cidr, contains, type Family, familyOf, parseCidr } from "../address/address.ts";
import { lookupIn } from "../calico-selector/expression.ts";
import { fitting } from "../calico-selector/fitting.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import { byAge } from "../objects/age.ts";
import type { BgpFilter, BgpFilterRule } from "../objects/bgp/filter.ts";
import type { BgpPeer } from "../objects/bgp/peer.ts";
import type { PlacedBlock } from "../pool/pools.ts";
import type { Problem } from "../problem.ts";
import type { BgpSession } from "./plan.ts";
import type { BgpSettings, Speaker } from "./settings.ts";

export interface SessionInputs {
  readonly settings: BgpSettings;
  readonly speakers: readonly Speaker[];
  readonly peers: readonly BgpPeer[];
  readonly filters: readonly BgpFilter[];
  readonly nodes: NodeDirectory;
  /** By the node that holds them. */
  readonly blocks: ReadonlyMap<string, readonly PlacedBlock[]>;
  /** This node's addresses: one of each family. */
  readonly own: Readonly<Partial<Record<Family, Address>>>;
}

export interface Sessions {
  readonly sessions: readonly BgpSession[];
  readonly problems: readonly Problem[];
}

/** The other end of a session. */
interface End {
  readonly address: Address;
  readonly port: number;
  readonly asNumber: number;
  readonly node: Speaker | undefined;
}

/** This node's sessions. A BGPPeer takes precedence over the mesh, and an older BGPPeer over a newer one: there is one session for an
 * address. */
export function sessionsOf(inputs: SessionInputs): Sessions {
  const self = inputs.speakers.find(({ name }) => name === inputs.nodes.facts.nodeName);
  const sessions = new Map<Address, BgpSession>();
  const problems: Problem[] = [];
  if (!self) return { sessions: [], problems };
  for (const peer of [...inputs.peers].sort(byAge)) {
    for (const end of endsOf(peer, self, inputs)) {
      const other = sessions.get(end.address);
      const made = sessionOf(peer, end, self, inputs);
      if (!other) sessions.set(end.address, made);
      else if (other.peerAs !== made.peerAs || other.localAs !== made.localAs || other.port !== made.port)
        problems.push(takenProblem(peer, end, other));
    }
    problems.push(...missingFilters(peer, inputs.filters));
  }
  const mesh = inputs.settings.mesh && self.clusterId === undefined ? meshOf(self, inputs) : [];
  for (const session of mesh) if (!sessions.has(session.peer)) sessions.set(session.peer, session);
  const sorted = [...sessions.values()].sort((one, other) => (one.peer < other.peer ? -1 : 1));
  return { sessions: sorted, problems };
}

/** The other ends of a BGPPeer's sessions with this node, including objects that name this node as the peer. */
function endsOf({ spec }: BgpPeer, self: Speaker, inputs: SessionInputs): End[] {
  const { speakers, nodes, own } = inputs;
  const fitsLocal = fitting(spec.nodeSelector ?? undefined);
  const isLocal = ({ name, labels }: Speaker) => (spec.node ? spec.node === name : fitsLocal(lookupIn(labels)));
  const others = speakers.filter(({ name }) => name !== self.name);
  const at = (node: Speaker) => nodeEnds(node, inputs);
  const reverse = spec.reversePeering !== "Manual";
  if (spec.peerSelector) {
    const fitsPeer = fitting(spec.peerSelector);
    const isPeer = ({ labels }: Speaker) => fitsPeer(lookupIn(labels));
    const found = others.filter(
      (other) => (isLocal(self) && isPeer(other)) || (reverse && isPeer(self) && isLocal(other)),
    );
    return found.flatMap(at);
  }
  const { address, port } = spec.peerIP as NonNullable<typeof spec.peerIP>;
  const family = familyOf(address) as Family;
  if (Object.values(own).includes(address))
    return reverse
      ? others
          .filter(isLocal)
          .flatMap(at)
          .filter((end) => familyOf(end.address) === family)
      : [];
  if (!isLocal(self) || own[family] === undefined) return [];
  const node = speakers.find(({ name }) => name === nodes.nodeOf(address));
  return [{ address, port, asNumber: spec.asNumber as number, node }];
}

/** A node's addresses of the families that this node has. */
function nodeEnds(node: Speaker, { nodes, own, settings }: SessionInputs): End[] {
  return (Object.keys(own) as Family[]).flatMap((family) => {
    const address = nodes.addressOf(node.name, family);
    return address === undefined ? [] : [{ address, port: settings.port, asNumber: node.asNumber, node }];
  });
}

function meshOf(self: Speaker, inputs: SessionInputs): BgpSession[] {
  const { speakers, own, settings } = inputs;
  const others = speakers.filter(({ name, clusterId }) => name !== self.name && clusterId === undefined);
  return others
    .flatMap((node) => nodeEnds(node, inputs))
    .map((end) => ({
      owner: { kind: "BGPConfiguration", name: "default" },
      ...common(end, inputs),
      localAs: self.asNumber,
      source: own[familyOf(end.address) as Family],
      believed: believedOf(end, inputs),
      reflects: false,
      getsServices: false,
      password: settings.password,
      restartSeconds: settings.restartSeconds,
      nextHop: "Auto",
      bfd: false,
      ownAsAllowed: 0,
      imports: [],
      exports: [],
    }));
}

/** A node's blocks, of the family of the session. */
function believedOf({ address, node }: End, { blocks }: SessionInputs): Cidr[] {
  const family = familyOf(address);
  const held = (node && blocks.get(node.name)) ?? [];
  return held.map(({ cidr }) => cidr).filter((cidr) => cidr.family === family);
}

function sessionOf({ metadata, spec }: BgpPeer, end: End, self: Speaker, inputs: SessionInputs): BgpSession {
  const family = familyOf(end.address) as Family;
  const localAs = spec.localASNumber ?? self.asNumber;
  const used = (spec.filters ?? []).map((name) => inputs.filters.find((filter) => filter.metadata.name === name)?.spec);
  const rules = (direction: "import" | "export") =>
    used
      .flatMap((filter) => (filter ? filter[`${direction}${family === "IPv4" ? "V4" : "V6"}`] : [NOTHING]))
      .filter(({ peerType }) => !peerType || (peerType === "iBGP") === (localAs === end.asNumber));
  const [imports, exports] = [rules("import"), rules("export")];
  // A route reflector announces routes of other nodes, and a filter may admit such routes.
  const isBelieved = end.node !== undefined && end.node.clusterId === undefined && imports.length === 0;
  const isClient = self.clusterId !== undefined && localAs === end.asNumber && end.node?.clusterId !== self.clusterId;
  const ends = common(end, inputs);
  return {
    owner: { kind: "BGPPeer", name: metadata.name },
    ...ends,
    bfd: spec.failureDetectionMode === "BFDIfDirectlyConnected" && ends.onLink,
    localAs,
    source: spec.sourceAddress === "None" ? undefined : inputs.own[family],
    clusterId: isClient ? self.clusterId : undefined,
    reflects: self.clusterId !== undefined,
    getsServices: end.node === undefined || end.node.clusterId !== undefined,
    password: spec.password?.secretKeyRef,
    restartSeconds: spec.maxRestartTime ?? undefined,
    nextHop: spec.nextHopMode ?? (spec.keepOriginalNextHop ? "Keep" : "Auto"),
    ttlHops: spec.ttlSecurity ?? undefined,
    ownAsAllowed: spec.numAllowedLocalASNumbers ?? 0,
    believed: isBelieved ? believedOf(end, inputs) : undefined,
    ...{ imports, exports },
  };
}

/** Replaces a filter that does not exist, because that filter may have been meant to keep routes out. */
const NOTHING: BgpFilterRule = { action: "Reject" };

function common({ address, port, asNumber, node }: End, { nodes }: SessionInputs) {
  const onLink = nodes.facts.subnets.some((subnet) => contains(parseCidr(subnet), address));
  return { peer: address, peerNode: node?.name, port, peerAs: asNumber, onLink };
}

function missingFilters({ metadata, spec }: BgpPeer, filters: readonly BgpFilter[]): Problem[] {
  return (spec.filters ?? []).flatMap((name, index) => {
    if (filters.some((filter) => filter.metadata.name === name)) return [];
    const message = `there is no BGPFilter ${name}; until it exists, no route is taken of this peer or given to it.`;
    return [{ kind: "BGPPeer", name: metadata.name, path: `spec.filters[${index}]`, message }];
  });
}

function takenProblem({ metadata }: BgpPeer, { address, asNumber }: End, other: BgpSession): Problem {
  const whose = `${other.owner.kind} ${other.owner.name}`;
  const message = `${address} is peered with as AS ${other.peerAs} already (${whose}), not as AS ${asNumber}; that session stays. Next: leave one of the objects out, or give both the same numbers.`;
  return { kind: "BGPPeer", name: metadata.name, path: "spec.asNumber", message };
}
