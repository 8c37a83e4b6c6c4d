import type { AskedFlow } from "../policy/explain.ts";
import { ICMP, protocolNumbers } from "../protocol.ts";
import type { JudgedFlow } from "./judged.ts";

const PROTOCOLS: Readonly<Record<string, number>> = { ...protocolNumbers, ICMP, "58": 58 };
/** Of logs of earlier versions, which do not say what was sent: echo requests, as ports (model/policy/rules.ts). */
const ECHO: Readonly<Record<number, number>> = { [ICMP]: 8 << 8, 58: 128 << 8 };

/** The flow as policies are asked about it. */
export function askedOf({
  protocol,
  port,
  icmp,
  sourcePort,
}: JudgedFlow): Pick<AskedFlow, "protocol" | "port"> & Partial<AskedFlow> {
  const number = PROTOCOLS[protocol] ?? Number(protocol);
  const asked = { protocol: number, port: icmp ? (icmp.type << 8) | icmp.code : (ECHO[number] ?? port) };
  return { ...asked, ...(sourcePort !== undefined && { sourcePort }) };
}
