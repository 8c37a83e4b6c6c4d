import { type Address, type Cidr, familyOf, parseCidr, writtenLength } from "../../model/address/address.ts";
import { addressValue, attribute, number32, text } from "../kernel/netlink-attributes.ts";
import type { RouteRequest } from "../kernel/rtnetlink.ts";
import { PROTOCOL } from "./routes.ts";

// linux/rtnetlink.h, if_link.h, if_addr.h, neighbour.h, veth.h
const RTM = { newLink: 16, deleteLink: 17, newAddress: 20, newRoute: 24, deleteRoute: 25, newNeighbour: 28 };
const REPLACE = 0x100;
const EXCLUSIVE = 0x200;
const CREATE = 0x400;
const AF = { IPv4: 2, IPv6: 10 };
const IFLA = { address: 1, name: 3, mtu: 4, info: 18, family: 26, namespaceFd: 28 };
const [INFO_KIND, INFO_DATA, VETH_PEER, INET6_ADDRESS_MODE] = [1, 2, 1, 8];
const NO_GENERATED_ADDRESS = 1;
const INET_CONF = 1; // IFLA_INET_CONF, with the numbers of linux/ip.h
const IPV4_DEVCONF = { forwarding: 1, reversePathFilter: 8 };
const LOOSE = 2;
const IFA = { address: 1, local: 2, flags: 8 };
const NO_DUPLICATE_DETECTION = 2;
const [NDA_DESTINATION, NDA_HARDWARE_ADDRESS] = [1, 2];
const PERMANENT = 0x80;
const RTA = { destination: 1, interface: 4, gateway: 5, source: 7 };
const [MAIN_TABLE, BY_PEOPLE, UNICAST, ON_LINK, TO_LINK] = [254, 3, 1, 4, 253];
const UP = 1;

/** One end of a pair. */
export interface LinkEnd {
  readonly name: string;
  readonly mac: string;
}

/** A pair, `peer` in the network namespace of the file descriptor. */
export function addPair(link: LinkEnd, peer: LinkEnd, mtu: number, netnsFd: number): RouteRequest {
  const of = ({ name, mac }: LinkEnd) => [
    attribute(IFLA.name, text(name)),
    attribute(IFLA.address, hardwareAddress(mac)),
    attribute(IFLA.mtu, number32(mtu)),
  ];
  const far = Buffer.concat([linkHeader(0, 0), ...of(peer), attribute(IFLA.namespaceFd, number32(netnsFd))]);
  const info = [attribute(INFO_KIND, text("veth")), attribute(INFO_DATA, attribute(VETH_PEER, far))];
  const body = Buffer.concat([linkHeader(0, 0), ...of(link), attribute(IFLA.info, Buffer.concat(info))]);
  return { what: `add the interface ${link.name}`, type: RTM.newLink, flags: CREATE | EXCLUSIVE, body };
}

/** The settings of the node's side of a pod's interface before it is up: no IPv6 address of its own, and the settings of sysctls.ts for
 * IPv4. @param hasIpv6 whether the kernel has IPv6: it refuses settings of a family that it does not have */
export function ofPod(name: string, index: number, hasIpv6: boolean): RouteRequest {
  const mode = attribute(INET6_ADDRESS_MODE, Buffer.of(NO_GENERATED_ADDRESS));
  const settings = [
    attribute(IPV4_DEVCONF.forwarding, number32(1)),
    attribute(IPV4_DEVCONF.reversePathFilter, number32(LOOSE)),
  ];
  const families = [
    attribute(AF.IPv4, attribute(INET_CONF, Buffer.concat(settings))),
    ...(hasIpv6 ? [attribute(AF.IPv6, mode)] : []),
  ];
  const body = Buffer.concat([linkHeader(index, 0), attribute(IFLA.family, Buffer.concat(families))]);
  return { what: `prepare the interface ${name}`, type: RTM.newLink, flags: 0, body };
}

export function setUp(name: string, index: number): RouteRequest {
  return { what: `set ${name} up`, type: RTM.newLink, flags: 0, body: linkHeader(index, UP) };
}

export function deleteLink(name: string, index: number): RouteRequest {
  return { what: `delete the interface ${name}`, type: RTM.deleteLink, flags: 0, body: linkHeader(index, 0) };
}

export function addNeighbour(address: Address, mac: string, index: number): RouteRequest {
  const header = Buffer.alloc(12); // struct ndmsg
  header.writeUInt8(familyNumber(address), 0);
  header.writeInt32LE(index, 4);
  header.writeUInt16LE(PERMANENT, 8);
  const attributes = [
    attribute(NDA_DESTINATION, addressValue(address)),
    attribute(NDA_HARDWARE_ADDRESS, hardwareAddress(mac)),
  ];
  return {
    what: `add the neighbor ${address}`,
    type: RTM.newNeighbour,
    flags: CREATE | REPLACE,
    body: Buffer.concat([header, ...attributes]),
  };
}

/** Usable at once, without duplicate address detection. */
export function addAddress(cidr: Cidr, index: number): RouteRequest {
  const header = Buffer.alloc(8); // struct ifaddrmsg
  header.set([AF[cidr.family], writtenLength(cidr)]);
  header.writeUInt32LE(index, 4);
  const bytes = addressValue(cidr.address);
  const flags = cidr.family === "IPv6" ? [attribute(IFA.flags, number32(NO_DUPLICATE_DETECTION))] : [];
  const body = Buffer.concat([header, attribute(IFA.local, bytes), attribute(IFA.address, bytes), ...flags]);
  return { what: `add the address ${cidr.text}`, type: RTM.newAddress, flags: CREATE | REPLACE, body };
}

/** @param gateway is used even if no address of the interface is in its subnet */
export function addRoute(destination: string, gateway: Address, index: number): RouteRequest {
  const cidr = parseCidr(destination);
  const header = Buffer.alloc(12); // struct rtmsg
  header.set([AF[cidr.family], writtenLength(cidr), 0, 0, MAIN_TABLE, BY_PEOPLE, 0, UNICAST]);
  header.writeUInt32LE(ON_LINK, 8);
  const to = writtenLength(cidr) > 0 ? [attribute(RTA.destination, addressValue(cidr.address))] : [];
  const body = Buffer.concat([
    header,
    ...to,
    attribute(RTA.gateway, addressValue(gateway)),
    attribute(RTA.interface, number32(index)),
  ]);
  return { what: `add the route ${destination} via ${gateway}`, type: RTM.newRoute, flags: CREATE | REPLACE, body };
}

/** The agent's route to a pod, unless its destination has another route. */
export function addDeviceRoute(destination: string, device: string, index: number, source?: Address): RouteRequest {
  const body = deviceRoute(destination, index, source);
  return { what: `add the route ${destination} to ${device}`, type: RTM.newRoute, flags: CREATE | EXCLUSIVE, body };
}

export function deleteDeviceRoute(destination: string, device: string, index: number): RouteRequest {
  const body = deviceRoute(destination, index);
  return { what: `delete the route ${destination} to ${device}`, type: RTM.deleteRoute, flags: 0, body };
}

function deviceRoute(destination: string, index: number, source?: Address): Buffer {
  const cidr = parseCidr(destination);
  const header = Buffer.alloc(12);
  header.set([AF[cidr.family], writtenLength(cidr), 0, 0, MAIN_TABLE, PROTOCOL, TO_LINK, UNICAST]);
  const from = source === undefined ? [] : [attribute(RTA.source, addressValue(source))];
  const to = [attribute(RTA.destination, addressValue(cidr.address)), attribute(RTA.interface, number32(index))];
  return Buffer.concat([header, ...to, ...from]);
}

function linkHeader(index: number, up: number): Buffer {
  const header = Buffer.alloc(16); // struct ifinfomsg
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(up, 8);
  header.writeUInt32LE(up, 12);
  return header;
}

const hardwareAddress = (mac: string) => Buffer.from(mac.replaceAll(":", ""), "hex");

function familyNumber(address: Address): number {
  return AF[familyOf(address) ?? "IPv4"];
}
