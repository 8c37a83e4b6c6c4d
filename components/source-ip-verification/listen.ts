import { listenContradictions, parseListenerPlace, parsePorts } from "../../model/expectation/listener.ts";
import { FormatError } from "../../model/expectation/place.ts";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import type { ProbeServer } from "./args.ts";

/** Refuses what a check file could not listen on either. */
export function requireListen(place: InputPlace, listen: ProbeServer[]): ProbeServer[] {
  const stated = listen.map(({ at: where, tcp, udp }, index) => {
    const entry = at(place, index);
    requireForm(at(entry, "at"), where, parseListenerPlace);
    const ports = (field: "tcp" | "udp", text?: string) =>
      text === undefined ? undefined : requireForm(at(entry, field), text, parsePorts);
    return { at: where, tcp: ports("tcp", tcp), udp: ports("udp", udp) };
  });
  for (const { field, allowed } of listenContradictions(stated)) {
    const [index = 0, protocol] = field;
    const given = protocol === undefined ? listen[Number(index)] : listen[Number(index)]?.[protocol as "tcp" | "udp"];
    refuse(field.reduce(at, place), given, allowed);
  }
  return listen;
}

function requireForm<Value>(place: InputPlace, text: string, parse: (text: string) => Value): Value {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof FormatError) return refuse(place, text, error.allowed);
    throw error;
  }
}
