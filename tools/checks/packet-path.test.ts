import { expect, test } from "vitest";
import { checkPacketPath } from "./packet-path.ts";

test.each([
  [
    "bpf/decide/follow.h",
    "const struct iphdr *ip;",
    "names struct iphdr, but only bpf/net/, bpf/tunnel/ may know an address family",
  ],
  [
    "bpf/uplink.bpf.c",
    "x = address_to_ipv4(a);",
    "names address_to_ipv4, but only bpf/net/, bpf/tunnel/ may know an address family",
  ],
  ["bpf/net/route.h", "outer_headers", "names outer_headers, but only bpf/tunnel/ may know an encapsulation"],
  [
    "bpf/decide/open.h",
    "return bpf_redirect(1, 0);",
    "names bpf_redirect(, but only bpf/apply.h, bpf/answer.h, bpf/net/, bpf/tunnel/ may know how a packet is changed or sent",
  ],
  [
    "bpf/decide/open.h",
    "connection->origin = origin;",
    "names connection->origin =, but only apply.h and what it calls may know how a packet is remembered",
  ],
  [
    "bpf/uplink.bpf.c",
    "connection_forget(&packet->tuple);",
    "names connection_forget(, but only apply.h and what it calls may know how a packet is remembered",
  ],
  [
    "bpf/service/choose.h",
    "bpf_map_update_elem(&affinities, &key, &value, BPF_ANY);",
    "names bpf_map_update_elem(, but only apply.h and what it calls may know how a packet is remembered",
  ],
])("%s must not say %s", (path, content, message) => {
  expect(checkPacketPath(new Map([[path, content]]))).toEqual([{ path, message }]);
});

test.each([
  ["bpf/net/parse.h", "struct iphdr ip;"],
  ["bpf/tunnel/vxlan.h", "struct outer_headers outer; struct iphdr ip;"],
  ["bpf/apply.h", "bpf_redirect_peer(1, 0);"],
  ["bpf/apply.h", "packet->connection->origin = plan->origin;"],
  ["bpf/decide/follow.h", "if (connection->flags == flags) opening->flags = 0;"],
  ["bpf/policy/judge.h", "/* struct iphdr is not known here */"],
  ["test/packets/preamble.bpf.c", "struct iphdr ip;"],
])("%s may say %s", (path, content) => {
  expect(checkPacketPath(new Map([[path, content]]))).toEqual([]);
});
