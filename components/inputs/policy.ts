import {
  type IpBlock,
  type NetworkPolicyArgs,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  type NetworkPolicyRule,
  PolicyType,
  Protocol,
} from "../network-policy-args";
import { requireCidr } from "./addresses";
import { requireMember, requireWhole } from "./choices";
import { requireLabel, requireObjectName } from "./names";
import { at, checked, type InputPlace, refuse } from "./refusal";

/** Refuses what the API server or the dataplane would refuse later; returns the policy with its addresses checked. */
export function requirePolicy(place: InputPlace, policy: NetworkPolicyArgs): NetworkPolicyArgs {
  requireObjectName(at(place, "name"), policy.name);
  requireLabel(at(place, "namespace"), policy.namespace ?? "default");
  policy.policyTypes?.forEach((type, index) => {
    requireMember(at(at(place, "policyTypes"), index), PolicyType, type);
  });
  return {
    ...policy,
    ...(policy.ingress && { ingress: requireRules(at(place, "ingress"), policy.ingress) }),
    ...(policy.egress && { egress: requireRules(at(place, "egress"), policy.egress) }),
  };
}

function requireRules(place: InputPlace, rules: NetworkPolicyRule[]): NetworkPolicyRule[] {
  return rules.map((rule, index) => {
    const item = at(place, index);
    rule.ports?.forEach((port, portIndex) => {
      requirePort(at(at(item, "ports"), portIndex), port);
    });
    return { ...rule, ...(rule.peers && { peers: requirePeers(at(item, "peers"), rule.peers) }) };
  });
}

function requirePeers(place: InputPlace, peers: NetworkPolicyPeer[]): NetworkPolicyPeer[] {
  return peers.map((peer, index) => {
    const item = at(place, index);
    const selects = peer.podSelector !== undefined || peer.namespaceSelector !== undefined;
    if (selects === (peer.ipBlock !== undefined)) {
      refuse(item, Object.keys(peer), "either an ipBlock, or a podSelector and/or namespaceSelector");
    }
    return { ...peer, ...(peer.ipBlock && { ipBlock: requireBlock(at(item, "ipBlock"), peer.ipBlock) }) };
  });
}

function requireBlock(place: InputPlace, block: IpBlock): IpBlock {
  const network = (key: InputPlace) => (value: string) => requireCidr(key, value);
  const except = block.except?.map((value, index) => checked(value, network(at(at(place, "except"), index))));
  return { cidr: checked(block.cidr, network(at(place, "cidr"))), ...(except && { except }) };
}

function requirePort(place: InputPlace, { protocol, port }: NetworkPolicyPort): void {
  if (protocol !== undefined) requireMember(at(place, "protocol"), Protocol, protocol);
  if (port !== undefined) requireWhole(at(place, "port"), port, 1, 65535);
}
