// The packet path's own walls: which of its headers may know what.
import type { Finding, Sources } from "./source.ts";

interface Wall {
  /** What only the rooms may name. */
  readonly words: RegExp;
  /** Folders below bpf/. */
  readonly rooms: readonly string[];
  readonly what: string;
  /** The rooms in words, where they are many. */
  readonly where?: string;
}

/** shared/ and maps/ are the agent's as well. An outer header is of a family, too. */
const EVERYWHERE = ["shared/", "maps/"];

const WALLS: readonly Wall[] = [
  {
    words:
      /\bstruct (iphdr|ipv6hdr|icmp_header|icmp6hdr|arp_frame)\b|\bAF_INET6?\b|\baddress_(to|from)_ipv[46]\b|\bIPPROTO_ICMP(V6)?\b|\bETH_P_IPV6\b|\bICMPV6_/,
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
      /\bbpf_(redirect(_peer|_neigh)?|xdp_adjust_head|skb_(store_bytes|adjust_room|change_type|set_tunnel_key)|l[34]_csum_replace)\(/,
    rooms: ["apply.h", "answer.h", "net/", "tunnel/"],
    what: "how a packet is changed or sent",
  },
  {
    // Deciding only reads: apply.h and the headers that it calls write what a plan has them remember.
    words:
      /\bbpf_map_(update|delete)_elem\(|\b(connection|known|entry)->[\w.]+ *(\+\+|[-+|&]?=(?!=))|\b__sync_\w+\(|\b(flags_(set|clear)|connection_(begin|carries|forget|move|open|touch)|establish|note_host_(request|answer)|remember_\w+|next_hop_(begin|end|of_\w+))\(/,
    rooms: [
      ...["apply.h", "early.h", "remember.h", "destination.h", "tunnel/wrapping.h"],
      ...["establish.h", "move.h", "next_hop.h", "open.h", "place.h", "table.h", "touch.h"].map(
        (file) => `connection/${file}`,
      ),
      ...["service/affinity.h", "service/note_host_request.h"],
      "first_fragment.h", // its ports, for reading the later ones
      "scratch.h", // a barrier
      "bandwidth.h", // what has passed
      ...["observe/verdicts.h", "observe/services.h"], // counters
      ...["socket.bpf.c", "socket/memory.h"], // sockets have no plan
    ],
    what: "how a packet is remembered",
    where: "apply.h and what it calls",
  },
];

export function checkPacketPath(sources: Sources): Finding[] {
  return [...sources].flatMap(([path, content]) => {
    if (!path.startsWith("bpf/") || !/\.[ch]$/.test(path)) return [];
    const below = path.slice("bpf/".length);
    return WALLS.flatMap(({ words, rooms, what, where = `bpf/${rooms.join(", bpf/")}` }) => {
      if ([...rooms, ...EVERYWHERE].some((room) => below.startsWith(room))) return [];
      const found = words.exec(content.replace(/\/\*[\s\S]*?\*\//g, ""))?.[0];
      return found ? [{ path, message: `names ${found}, but only ${where} may know ${what}` }] : [];
    });
  });
}
