import { beforeAll, describe, expect, test } from "vitest";
import { schemas } from "../../model/objects/schemas.ts";
import { Dataplane } from "../dataplane/component.ts";
import { recordResources, settled } from "../testing/program.ts";
import { BgpFilterAction, BgpMatchOperator, BgpNextHopMode, type DeclaredBgp } from "./args.ts";

const apiServer = { host: "172.31.1.8", port: 6443 };
const declared: DeclaredBgp = {
  bgp: {
    asNumber: 64513,
    serviceClusterIPs: [{ cidr: "10.96.0.0/12" }],
    communities: [{ name: "pods", value: "64513:7" }],
    prefixAdvertisements: [{ cidr: "10.244.0.0/16", communities: ["pods"] }],
  },
  bgpPeers: [
    { name: "tor", peerIP: "172.31.1.1", asNumber: 64500, filters: ["safe"], nextHopMode: BgpNextHopMode.Self },
    { name: "reflectors", peerSelector: "has(reflector)" },
  ],
  bgpFilters: [
    {
      name: "safe",
      importV4: [
        {
          action: BgpFilterAction.Reject,
          cidr: "0.0.0.0/0",
          matchOperator: BgpMatchOperator.Equal,
          source: "RemotePeers",
        },
      ],
    },
  ],
};

test("typed inputs become objects that agents read", async () => {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer, ...declared });
  await settled();
  const made = resources.flatMap(({ type, inputs }) =>
    type.startsWith("kubernetes:projectcalico.org") ? [inputs] : [],
  );
  const of = (kind: string) => made.filter((object) => object.kind === kind);
  expect(of("BGPConfiguration")).toMatchObject([{ metadata: { name: "default" }, spec: declared.bgp as object }]);
  expect(of("BGPPeer")).toHaveLength(2);
  for (const object of of("BGPPeer")) expect(schemas.bgpPeers.safeParse(object).error).toBeUndefined();
  expect(schemas.bgpFilters.safeParse(of("BGPFilter")[0]).error).toBeUndefined();
});

describe("refused, with the path", () => {
  beforeAll(() => recordResources());
  const peer = { name: "tor", peerIP: "172.31.1.1", asNumber: 64500 };
  test.each<[string, object, string]>([
    [
      "two AS numbers",
      { bgpPeers: [peer, { ...peer, name: "b", asNumber: 1 }] },
      "bgpPeers[1].asNumber is 1, but must be 64500",
    ],
    ["two of one name", { bgpPeers: [peer, { ...peer, peerIP: "172.31.1.2" }] }, "bgpPeers[1].name"],
    ["a peer without AS number", { bgpPeers: [{ name: "a", peerIP: "172.31.1.1" }] }, "bgpPeers[0].asNumber"],
    ["no address", { bgpPeers: [{ ...peer, peerIP: "tor.example; }" }] }, "bgpPeers[0].peerIP"],
    ["no AS number", { bgp: { asNumber: 0 } }, "bgp.asNumber"],
    [
      "a field of Calico's that is not supported",
      { bgpPeers: [{ ...peer, reachableBy: "172.31.1.9" }] },
      'unknown key "reachableBy"',
    ],
    [
      "a rule",
      { bgpFilters: [{ name: "f", importV4: [{ action: "Accept", cidr: "10.0.0.0/8" }] }] },
      "bgpFilters[0].importV4[0].matchOperator",
    ],
  ])("%s", (_, args, message) => {
    expect(() => new Dataplane("dp", { apiServer, ...args } as never)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
  });
});
