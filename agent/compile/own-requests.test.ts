import { expect, test } from "vitest";
import { SCTP, TCP } from "../../model/protocol.ts";
import { ANY_NODE, frontendText } from "../../model/service/frontend.ts";
import type { Claim } from "../../model/service/frontend-rules.ts";
import type { FrontendRule } from "../../model/service/frontends.ts";
import type { CompiledService } from "../../model/service/service.ts";
import { ownRequests, sctpFrontends } from "./own-requests.ts";

const rule = (claim: Claim, address: string, protocol = SCTP) =>
  ({ claim, key: { address, port: 80, protocol } }) as FrontendRule;

const web = {
  frontends: [rule("cluster IP", "10.96.0.9"), rule("cluster IP", "fd00::9"), rule("node port", ANY_NODE.IPv4)],
} as unknown as CompiledService;
const others = {
  frontends: [
    rule("cluster IP", "10.96.0.8", TCP),
    rule("external IP", "198.51.100.7"),
    rule("load balancer", "198.51.100.6"),
    rule("cluster IP", "10.96.0.9"),
  ],
} as unknown as CompiledService;
const lost = new Map([[others, new Map([[frontendText(rule("external IP", "198.51.100.7").key), {} as never]])]]);

test("addresses of Services with SCTP are led to the packet path, once each, and none that its object does not get", () => {
  expect(ownRequests(sctpFrontends([web, others], lost), "remove-rules")).toEqual({
    addresses: ["10.96.0.9", "198.51.100.6", "fd00::9"],
    atNode: true,
  });
  expect(ownRequests(sctpFrontends([others], lost), "remove-rules").atNode).toBe(false);
});

test("what kube-proxy handles is left to it, but for host ports", () => {
  const pod = { frontends: [rule("host port", "172.31.1.8")] } as unknown as CompiledService;
  expect(ownRequests(sctpFrontends([web], lost), "active")).toEqual({ addresses: [], atNode: false });
  expect(ownRequests(sctpFrontends([web, pod], lost), "active")).toEqual({ addresses: [], atNode: true });
});
