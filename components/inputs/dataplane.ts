import { type DataplaneArgs, LogLevel, ReturnMode, ServiceHandling } from "../dataplane-args";
import { DEFAULT_POOL_NAME, type IpPoolArgs, requirePool } from "../ip-pool";
import type { NetworkPolicyArgs } from "../network-policy-args";
import { overlap, requireCidr } from "./addresses";
import { requireMember, requireUnique, requireWhole } from "./choices";
import { type CheckedPolicy, requirePolicy } from "./policy";
import { at, type InputPlace, refuse } from "./refusal";

/** Linux: IFNAMSIZ - 1 characters, no space and no slash. */
const INTERFACE_NAME = /^[^\s/]{1,15}$/;

/** A pool that has its name, which is a part of the names of its resources. */
type NamedPool = IpPoolArgs & { name: string };

/** Arguments with their structure filled in. */
export interface CheckedDataplane {
  ipPools: NamedPool[];
  networkPolicies: CheckedPolicy[];
  serviceSubnet: string;
}

/** Refuses arguments that no cluster could run with. */
export function requireDataplane(place: InputPlace, args: DataplaneArgs): CheckedDataplane {
  const { networkPolicies = [], serviceSubnet = "10.96.0.0/12", ipPools = [{ cidr: "10.244.0.0/16" }] } = args;
  if (args.apiServer === undefined) refuse(at(place, "apiServer"), undefined, "{ host, port } of the API server");
  requireMember(at(place, "returnMode"), ReturnMode, args.returnMode ?? ReturnMode.Dsr);
  requireMember(at(place, "serviceHandling"), ServiceHandling, args.serviceHandling ?? ServiceHandling.Ebpf);
  requireMember(at(place, "logLevel"), LogLevel, args.logLevel ?? LogLevel.Info);
  if (args.image !== undefined && args.imageRegistry !== undefined) {
    refuse(at(place, "imageRegistry"), "given beside image", "left out: image names a registry itself");
  }
  if (args.mtu !== undefined) requireWhole(at(place, "mtu"), args.mtu, 1280, 65535);
  args.uplinks?.forEach((uplink, index) => {
    if (INTERFACE_NAME.test(uplink)) return;
    refuse(at(at(place, "uplinks"), index), uplink, "an interface's name of at most 15 characters");
  });
  requireCidr(at(place, "serviceSubnet"), serviceSubnet, 24);
  return {
    ipPools: requirePools(at(place, "ipPools"), ipPools, serviceSubnet),
    networkPolicies: requirePolicies(at(place, "networkPolicies"), networkPolicies),
    serviceSubnet,
  };
}

function requirePools(place: InputPlace, pools: IpPoolArgs[], serviceSubnet: string): NamedPool[] {
  if (pools.length === 0) refuse(place, pools, "at least one pool: without addresses no pod starts");
  const named = pools.map((pool) => ({ ...pool, name: pool.name ?? DEFAULT_POOL_NAME }));
  named.forEach((pool, index) => {
    requirePool(at(place, index), pool);
    const cidr = at(at(place, index), "cidr");
    if (overlap(pool.cidr, serviceSubnet)) refuse(cidr, pool.cidr, `apart from serviceSubnet ${serviceSubnet}`);
    const other = named.slice(0, index).findIndex((earlier) => overlap(earlier.cidr, pool.cidr));
    if (other >= 0) refuse(cidr, pool.cidr, `apart from ipPools[${other}].cidr ${named[other]?.cidr}`);
  });
  requireUnique(
    (index) => at(at(place, index), "name"),
    named.map((pool) => pool.name),
  );
  return named;
}

function requirePolicies(place: InputPlace, policies: NetworkPolicyArgs[]): CheckedPolicy[] {
  const checked = policies.map((policy, index) => requirePolicy(at(place, index), policy));
  requireUnique(
    (index) => at(place, index),
    checked.map((policy) => `${policy.namespace}/${policy.name}`),
  );
  return checked;
}
