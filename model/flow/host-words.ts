import type { HostSubject, HostTraffic } from "../policy/host-directory.ts";

/** When a host endpoint is asked, by what about. */
const HOST_WORDS: Readonly<Record<HostTraffic, string>> = {
  own: "of what the node itself sends and receives",
  forwarded: "of what the node forwards",
  preDNAT: "before translation",
  doNotTrack: "of each packet, whatever its connection",
};

/** "HostEndpoint edge, before translation" */
export function hostEndText({ host, traffic }: HostSubject): string {
  return `${host.owner}, ${HOST_WORDS[traffic]}`;
}
