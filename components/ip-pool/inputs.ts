import * as pulumi from "@pulumi/pulumi";
import { BLOCK_SIZES } from "../../model/objects/block-size.ts";
import { selectorFault } from "../../model/objects/calico-policy/values.ts";
import { at, checked, checkedBeside, type InputPlace, isLater, refuse, refuseBecause } from "../refusal/refusal.ts";
import { isIpv6, prefixLength } from "../rules/addresses.ts";
import { requireAnyAddress, requireAnyUnicastCidr } from "../values/addresses.ts";
import { requireWhole } from "../values/choices.ts";
import { requireObjectName } from "../values/names.ts";
import { AssignmentMode, IpipMode, type IpPoolSpec, IpPoolUse, VxlanMode } from "./args.ts";

/** What a pool of an address family is where it does not say so itself, and which blocks it can have. */
const IPV4 = { name: "default-ipv4-ippool", natOutgoing: true, ...BLOCK_SIZES.IPv4 };
const IPV6 = { name: "default-ipv6-ippool", natOutgoing: false, ...BLOCK_SIZES.IPv6 };

const usualOf = (cidr: string) => (isIpv6(cidr) ? IPV6 : IPV4);

/** Name of a pool that has none: of IPv4 where the network is not known yet, because names are known before. */
export function poolName({ name, cidr }: IpPoolSpec): string {
  return name ?? (typeof cidr === "string" ? usualOf(cidr) : IPV4).name;
}

export function isForLoadBalancers({ allowedUses = [] }: IpPoolSpec): boolean {
  return allowedUses.includes(IpPoolUse.LoadBalancer);
}

/** Whether pods get addresses of it that name no pool. */
export function isForAnyPod({ allowedUses = [IpPoolUse.Workload], assignmentMode }: IpPoolSpec): boolean {
  return allowedUses.includes(IpPoolUse.Workload) && assignmentMode !== AssignmentMode.Manual;
}

/** How packets to the pods are wrapped. An object names `ipipMode` only where it is in use. */
export function modesOf({ vxlanMode, ipipMode = IpipMode.Never }: Pick<IpPoolSpec, "vxlanMode" | "ipipMode">): {
  vxlanMode: VxlanMode;
  ipipMode?: IpipMode;
} {
  if (ipipMode === IpipMode.Never) return { vxlanMode: vxlanMode ?? VxlanMode.CrossSubnet };
  return { vxlanMode: VxlanMode.Never, ipipMode };
}

/** Refuses two encapsulations at once. */
export function requireOneMode(place: InputPlace, modes: Pick<IpPoolSpec, "vxlanMode" | "ipipMode">): void {
  const { vxlanMode = VxlanMode.Never, ipipMode = IpipMode.Never } = modes;
  if (vxlanMode !== VxlanMode.Never && ipipMode !== IpipMode.Never)
    refuse(at(place, "ipipMode"), ipipMode, `Never, or left out, beside vxlanMode ${vxlanMode}`);
}

const SELECTORS = ["nodeSelector", "namespaceSelector"] as const;

/** Refuses a pool that could not give addresses. */
export function requirePool(place: InputPlace, pool: IpPoolSpec): IpPoolSpec {
  requireUses(place, pool);
  requireOneMode(place, pool);
  requireObjectName(at(place, "name"), poolName(pool));
  const cidr = checkedBeside<string, number | undefined>(pool.cidr, [pool.blockSize], (known, [given]) => {
    requireAnyUnicastCidr(at(place, "cidr"), known);
    const { ipipMode = IpipMode.Never } = pool;
    if (isIpv6(known) && ipipMode !== IpipMode.Never)
      refuse(at(place, "ipipMode"), ipipMode, "Never, or left out, for IPv6: use vxlanMode");
    const { least, most, usual } = usualOf(known);
    const [field, size] = [at(place, "blockSize"), given ?? (isForLoadBalancers(pool) ? most : usual)];
    requireWhole(field, size, least, most);
    if (size >= prefixLength(known)) return known;
    return refuse(field, size, `at least ${prefixLength(known)}, the prefix length of ${known}`);
  });
  const { egressAddress } = pool;
  const address =
    egressAddress === undefined
      ? {}
      : {
          egressAddress: checkedBeside<string, string>(egressAddress, [pool.cidr], (known, [network]) => {
            requireAnyAddress(at(place, "egressAddress"), known);
            if (network === undefined || isIpv6(network) === isIpv6(known)) return known;
            return refuse(at(place, "egressAddress"), known, `an address of the family of ${network}`);
          }),
        };
  const selectors = SELECTORS.flatMap((name) => {
    const text = pool[name];
    return text === undefined ? [] : [[name, checked(text, (known) => readable(at(place, name), known))]];
  });
  return { ...pool, cidr, ...address, ...Object.fromEntries(selectors) };
}

function requireUses(place: InputPlace, pool: IpPoolSpec): void {
  const { allowedUses } = pool;
  if (!allowedUses) return;
  const field = at(place, "allowedUses");
  if (allowedUses.length === 0) refuse(field, allowedUses, "at least one use: Workload or LoadBalancer");
  if (!isForLoadBalancers(pool)) return;
  if (allowedUses.length > 1) refuse(field, allowedUses, "LoadBalancer alone, or other uses without it");
  for (const name of [...SELECTORS, "assignmentMode", "egressAddress"] as const)
    if (pool[name] !== undefined) refuse(at(place, name), pool[name], "left out in a pool for LoadBalancer");
}

function readable(field: InputPlace, selector: string): string {
  const fault = selectorFault(selector);
  return fault === undefined ? selector : refuseBecause(field, fault);
}

/** The values that a pool's address family decides where the pool does not: known when its network is. */
export function usualValues(cidr: pulumi.Input<string>): {
  blockSize: pulumi.Input<number>;
  natOutgoing: pulumi.Input<boolean>;
  /** Of a pool for load balancers, of which nodes have no blocks: one address. */
  loadBalancerBlock: pulumi.Input<number>;
} {
  if (!isLater(cidr)) {
    const { usual, most, natOutgoing } = usualOf(cidr);
    return { blockSize: usual, natOutgoing, loadBalancerBlock: most };
  }
  const usual = pulumi.output(cidr).apply(usualOf);
  return { blockSize: usual.usual, natOutgoing: usual.natOutgoing, loadBalancerBlock: usual.most };
}
