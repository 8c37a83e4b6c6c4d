import type { Address, Family } from "../../model/address/address.ts";
import { familyOf, hostCidr } from "../../model/address/address.ts";
import { Memo } from "../../model/memo.ts";
import { addressesOf, podOwner } from "../../model/objects/pod-of.ts";
import type { EndpointPolicy } from "../../model/policy/endpoint-policy.ts";
import { type Endpoint, EndpointFlag, type NetworkNamespace, type Workload } from "../kernel/layout.gen.ts";
import { NO_ADDRESS } from "../kernel/workload.ts";
import type { Contribution, Contributions, Route } from "./desired.ts";
import type { LocationMap } from "./locations.ts";
import type { PolicyMap } from "./policies.ts";
import { endpointRevision } from "./revisions.ts";
import type { LocalEndpoint } from "./snapshot.ts";

export interface EndpointMaps {
  readonly endpoints: Contributions<Address, Endpoint>;
  readonly interfaces: Contributions<number, Workload>;
  readonly namespaces: Contributions<NetworkNamespace, Workload>;
}

// Of an endpoint that did not change they are the very same objects, which nobody compares again.
const endpointEntries = new Memo<LocalEndpoint, Contribution<Address, Endpoint>>();
const interfaceEntries = new Memo<LocalEndpoint, Contribution<number, Workload>>();
const namespaceEntries = new Memo<LocalEndpoint, Contribution<NetworkNamespace, Workload>>();

/** This node's endpoints: an entry for each of their addresses, with the same policy. One whose pod is not known has no identity and
 * no policy yet, so it gets no entry: no traffic before its policy. */
export function compileEndpoints(
  endpoints: readonly LocalEndpoint[],
  { endpointIdentities, sums }: Pick<LocationMap, "endpointIdentities" | "sums">,
  policyOf: (endpoint: LocalEndpoint) => EndpointPolicy | undefined,
  policies: PolicyMap,
): EndpointMaps {
  const known = endpoints.filter((item) => addressesOf(item).every((address) => endpointIdentities.has(address)));
  const contents = (item: LocalEndpoint): Contribution<Address, Endpoint> => {
    const policy = policyOf(item);
    const toNode = policy?.isAskedOfNode ? EndpointFlag.ASKED_TO_NODE : 0;
    const judged = { policy: policy ? policies.idOf(policy) : 0, flags: policy ? isolation(policy) | toNode : 0 };
    const distinguished = policy ? policies.distinguishedBy(policy) : [];
    const addresses = addressesOf(item);
    const revisions = addresses.map((address) => endpointRevision(address, judged, distinguished, sums));
    const { ifindex, mac, hostMac } = item;
    return endpointEntries.get(item, [judged.policy, judged.flags, ...revisions], () => ({
      owner: podOwner(item),
      entries: addresses.map((address, place) => ({
        key: address,
        value: { ifindex, ...judged, revision: revisions[place] as number, mac, hostMac },
      })),
    }));
  };
  return {
    endpoints: known.map(contents),
    interfaces: known.map((item) =>
      interfaceEntries.get(item, [], () => ({
        owner: podOwner(item),
        entries: [{ key: item.ifindex, value: workload(item) }],
      })),
    ),
    namespaces: known.flatMap((item) => {
      const { namespaceCookie } = item;
      if (namespaceCookie === undefined) return [];
      return namespaceEntries.get(item, [], () => ({
        owner: podOwner(item),
        entries: [{ key: { cookie: BigInt(namespaceCookie) }, value: workload(item) }],
      }));
    }),
  };
}

function workload(item: LocalEndpoint): Workload {
  const of = (family: Family) => addressesOf(item).find((address) => familyOf(address) === family) ?? NO_ADDRESS;
  return { ipv4: of("IPv4"), ipv6: of("IPv6") };
}

/** Directions in which its tiers are asked. */
export function isolation({ ingress, egress }: EndpointPolicy): number {
  return (ingress ? EndpointFlag.INGRESS_ISOLATED : 0) | (egress ? EndpointFlag.EGRESS_ISOLATED : 0);
}

export function endpointRoutes(endpoints: readonly LocalEndpoint[]): Route[] {
  return endpoints.flatMap((item) =>
    addressesOf(item).map((address) => ({
      to: "endpoint",
      destination: hostCidr(address).text,
      ifindex: item.ifindex,
    })),
  );
}
