// Walks the packets of a case through the node under test.
import { release } from "node:os";
import { meetTwice } from "./card.ts";
import { announcements } from "./cases/announcements.ts";
import { associationChecksums } from "./cases/association-checksums.ts";
import { associationEnds } from "./cases/association-ends.ts";
import { associations } from "./cases/associations.ts";
import { attacks } from "./cases/attacks.ts";
import { behindStack } from "./cases/behind-stack.ts";
import { restricted } from "./cases/clients.ts";
import { closings } from "./cases/closings.ts";
import { egress } from "./cases/egress.ts";
import { encrypted } from "./cases/encrypted.ts";
import { external } from "./cases/external.ts";
import { fragments } from "./cases/fragments.ts";
import { hops } from "./cases/hops.ts";
import { hosts } from "./cases/hosts.ts";
import { ipipPackets } from "./cases/ipip.ts";
import { ipv6 } from "./cases/ipv6.ts";
import { localPorts } from "./cases/local-ports.ts";
import { maglev } from "./cases/maglev.ts";
import { oddities } from "./cases/oddities.ts";
import { outgoing } from "./cases/outgoing.ts";
import { own } from "./cases/own.ts";
import { ownEnds } from "./cases/own-ends.ts";
import { ownRequests } from "./cases/own-requests.ts";
import { quoted } from "./cases/quoted.ts";
import { refusals } from "./cases/refusals.ts";
import { returns } from "./cases/returns.ts";
import { served } from "./cases/served.ts";
import { sizes } from "./cases/sizes.ts";
import { stages } from "./cases/stages.ts";
import { bytesOf, type PacketTest } from "./cases/step.ts";
import { walks } from "./cases/walks.ts";
import { wrappedForgeries } from "./cases/wrapped-forgeries.ts";
import type { Handling, NodeUnderTest } from "./node.ts";
import { wordsInIpv6 } from "./twins.ts";
import { inWords } from "./words.ts";

/** All cases, by the file that holds them. */
export const cases: Readonly<Record<string, readonly PacketTest[]>> = {
  ...{
    walks,
    restricted,
    returns,
    own,
    attacks,
    behindStack,
    closings,
    fragments,
    oddities,
    hops,
    sizes,
    quoted,
    hosts,
    stages,
    ownEnds,
    ipv6,
    ipip: ipipPackets,
    refusals,
    announcements,
    associations,
    associationEnds,
    associationChecksums,
    ownRequests,
    localPorts,
    maglev,
    external,
    outgoing,
    egress,
    encrypted,
    served,
    wrappedForgeries,
  },
};

/** Whether the case is one of this handling. */
export function fits({ handling, family, steps }: PacketTest, now: Handling): boolean {
  const { returnMode, services, encapsulation = "VXLAN", family: wanted = "IPv4" } = now;
  if ((handling?.encapsulation ?? encapsulation) !== encapsulation) return false;
  const ofBoth = steps.every(({ frame }) => typeof frame === "function");
  if ((family ?? (ofBoth ? wanted : "IPv4")) !== wanted) return false;
  return (handling?.returnMode ?? returnMode) === returnMode && (handling?.services ?? services) === services;
}

/** Whether the maps have other policies, egress gateways or addresses of node ports after the case. */
export function leavesPolicies({ steps }: PacketTest): boolean {
  return steps.some(
    ({ policies, calicoPolicies, egress, nodePortAddresses, encryption }) =>
      policies ?? calicoPolicies ?? egress ?? nodePortAddresses ?? encryption,
  );
}

export interface Walk {
  readonly seen: readonly string[];
  /** A pattern that matches is replaced by the actual text. */
  readonly expected: readonly string[];
}

const LEFT_WRAPPED = /^pass_to_stack: udp \S+ > \S+:4789$/;
/** Before Linux 6.3 programs cannot take the headers off IPv6 packets (bpf/tunnel/vxlan.h). */
const [major = 0, minor = 0] = release().split(".").map(Number);
const leavesIpv6ToDevice = major < 6 || (major === 6 && minor < 3);

/** The maps must contain the small cluster in this handling, and no state of earlier packets. */
export function walk(node: NodeUnderTest, { steps, known: afterwards }: PacketTest, now: Handling): Walk {
  const seen: string[] = [];
  const expected: string[] = [];
  const { family = "IPv4" } = now;
  for (const { frame, becomes, through, unwrapped, ...rest } of steps) {
    const { policies, calicoPolicies, egress, nodePortAddresses, encryption, hosts, ...known } = rest;
    if (policies || calicoPolicies || egress || nodePortAddresses || encryption)
      node.write({ ...now, nodePortAddresses, encryption }, policies, calicoPolicies, egress);
    if (hosts) node.writeHosts(hosts);
    const meeting = through ? { ...known, ingressIfindex: node.ifindex(through) } : known;
    const backendOf = (id: number) => node.maps.backends.lookup(id)?.address;
    let words = inWords(meetTwice(node, bytesOf({ frame }, node, family), meeting), meeting.program, backendOf);
    if (unwrapped && family === "IPv6" && leavesIpv6ToDevice && LEFT_WRAPPED.test(words)) {
      const { frame: inner, tunnel } = unwrapped(node, family);
      const behind = { program: "from_tunnel", at: "tunnel", ...(tunnel && { tunnel }) } as const;
      words = inWords(node.meet(inner, behind), behind.program, backendOf);
    }
    seen.push(words);
    const wanted = family === "IPv6" ? wantedInIpv6(becomes) : wantedIn(now.encapsulation, becomes);
    expected.push(typeof wanted === "string" ? wanted : wanted.test(words) ? words : String(wanted));
  }
  if (afterwards) {
    seen.push(...node.connectionsOf(afterwards.port));
    expected.push(...afterwards.as);
  }
  return { seen, expected };
}

/** Workloads' packets between nodes are of one encapsulation. */
function wantedIn(encapsulation: Handling["encapsulation"], becomes: string | RegExp): string | RegExp {
  if (encapsulation !== "IPIP") return becomes;
  if (typeof becomes === "string") return becomes.replace("(overlay)", "(overlay, IPIP)");
  return new RegExp(becomes.source.replace("\\(overlay\\)", "\\(overlay, IPIP\\)"));
}

function wantedInIpv6(becomes: string | RegExp): string | RegExp {
  if (typeof becomes === "string") return wordsInIpv6(becomes);
  return new RegExp(wordsInIpv6(becomes.source).replace(/\[2001:[^\]]*\]/g, (address) => `\\${address}`));
}
