// The packet path's own walls: which of its headers may know what.
import type { Finding, Sources } from "./source.ts";

interface Wall {
  /** What only the rooms may name. */
  readonly words: RegExp;
  /** Folders below bpf/. */
  readonly rooms: readonly string[];
  readonly what: string;
}

/** shared/ and maps/ are the agent's as well. An outer header is of a family, too. */
const EVERYWHERE = ["shared/", "maps/"];

const WALLS: readonly Wall[] = [
  {
    words:
      /\bstruct (iphdr|ipv6hdr|icmp_header|icmp6hdr)\b|\bAF_INET6?\b|\baddress_(to|from)_ipv[46]\b|\bIPPROTO_ICMP\b/,
    rooms: ["net/", "tunnel/"],
    what: "an address family",
  },
  {
    words: /\b(struct )?vxlan_|\bVXLAN_|\bouter_headers\b|bpf_tunnel_key \*/,
    rooms: ["tunnel/"],
    what: "an encapsulation",
  },
  {
    words:
      /\bbpf_(redirect(_peer|_neigh)?|skb_(store_bytes|adjust_room|change_type|set_tunnel_key)|l[34]_csum_replace)\(/,
    rooms: ["apply.h", "net/", "tunnel/"],
    what: "how a packet is changed or sent",
  },
];

export function checkPacketPath(sources: Sources): Finding[] {
  return [...sources].flatMap(([path, content]) => {
    if (!path.startsWith("bpf/") || !/\.[ch]$/.test(path)) return [];
    const below = path.slice("bpf/".length);
    return WALLS.flatMap(({ words, rooms, what }) => {
      if ([...rooms, ...EVERYWHERE].some((room) => below.startsWith(room))) return [];
      const found = words.exec(content.replace(/\/\*[\s\S]*?\*\//g, ""))?.[0];
      return found ? [{ path, message: `names ${found}, but only bpf/${rooms.join(", bpf/")} may know ${what}` }] : [];
    });
  });
}
