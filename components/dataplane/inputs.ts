import type * as pulumi from "@pulumi/pulumi";
import { MAP_SIZE_LIMITS, type MapSizeField } from "../../model/mode/map-sizes.ts";
import { LONGEST_INTERVAL, SHORTEST_INTERVAL } from "../../model/objects/interval.ts";
import { MTU, POD_NETWORK, POD_NETWORK_IPV6, SERVICE_NETWORK, SERVICE_SERIES } from "../documents/defaults.ts";
import type { IpPoolSpec } from "../ip-pool/args.ts";
import { isForAnyPod, isForLoadBalancers, poolName, requirePool } from "../ip-pool/inputs.ts";
import type { NetworkPolicySpec } from "../network-policy/args.ts";
import { type CheckedPolicy, requirePolicy } from "../network-policy/inputs.ts";
import {
  at,
  checked,
  checkedBeside,
  checkedField,
  checkedList,
  type InputPlace,
  refuse,
  requireRule,
} from "../refusal/refusal.ts";
import { isIpv6, networksOverlap } from "../rules/addresses.ts";
import { interfaceRule } from "../rules/names.ts";
import { requireAnyCidr, requireServiceNetwork, requireServiceNetworkIpv6 } from "../values/addresses.ts";
import { requireUnique, requireWhole } from "../values/choices.ts";
import { requireApiServer } from "../values/host.ts";
import { requireImage, requireRegistry } from "../values/image.ts";
import { requireLabel } from "../values/names.ts";
import { requireAgentPods } from "./agent-pods-inputs.ts";
import { type DataplaneSpec, ExternalIPs, type FailsafePort, type MapSizes, type ServiceMetrics } from "./args.ts";
import { requireDeclaredPolicies } from "./declared-policies.ts";
import { type FlowLog, FlowLogsLocalReporter } from "./flow-log-args.ts";
import { requireMonitoring } from "./monitoring/inputs.ts";

/** A pool that has its name, which is a part of the names of its resources. */
type NamedPool = IpPoolSpec & { name: string };

/** Arguments with their structure filled in; values that are known only later check themselves. */
export interface CheckedDataplane extends DataplaneSpec {
  ipPools: NamedPool[];
  networkPolicies: CheckedPolicy[];
  serviceSubnet: pulumi.Input<string>;
}

/** Refuses arguments with which no cluster could work. */
export function requireDataplane(place: InputPlace, args: DataplaneSpec): CheckedDataplane {
  const { networkPolicies = [], ipPools = usualPools(args), image, imageRegistry, kubeProxyImage } = args;
  if (image !== undefined && imageRegistry !== undefined) {
    refuse(at(place, "imageRegistry"), imageRegistry, "left out beside image, which names a registry itself");
  }
  if (args.flowLog && args.flowLogsLocalReporter === FlowLogsLocalReporter.Disabled) {
    const allowed = "Enabled, or left out: with flowLog agents keep the latest flows";
    refuse(at(place, "flowLogsLocalReporter"), args.flowLogsLocalReporter, allowed);
  }
  requireDeclaredPolicies(place, args);
  const serviceSubnet = checked(args.serviceSubnet ?? SERVICE_NETWORK, (cidr) =>
    requireServiceNetwork(at(place, "serviceSubnet"), cidr),
  );
  const ipv6 = checkedField(place, "serviceSubnetIpv6", args.serviceSubnetIpv6, requireServiceNetworkIpv6);
  const pools = requirePools(place, ipPools, serviceSubnet, ipv6.serviceSubnetIpv6);
  const balanced = pools.findIndex(isForLoadBalancers);
  if (balanced >= 0 && !args.loadBalancer)
    refuse(at(place, "loadBalancer"), args.loadBalancer, `true: ipPools[${balanced}] is for load balancers`);
  const services = [serviceSubnet, ...(ipv6.serviceSubnetIpv6 === undefined ? [] : [ipv6.serviceSubnetIpv6])];
  const networks = [
    ...["serviceSubnet", "serviceSubnetIpv6"].slice(0, services.length),
    ...pools.map((_, index) => `ipPools[${index}].cidr`),
  ];
  const named = (cidrs: string[]) => Object.fromEntries(cidrs.map((cidr, index) => [networks[index], cidr]));
  return {
    ...args,
    ...ipv6,
    ...requireAgentPods(place, args),
    ...checkedField(place, "mtu", args.mtu, (field, mtu) => requireWhole(field, mtu, MTU.least, MTU.most)),
    ...(args.uplinks && { uplinks: checkedList(at(place, "uplinks"), args.uplinks, requireUplinks) }),
    ...requireExternalIPs(place, args),
    ...(args.dsrOptOutNetworks && {
      dsrOptOutNetworks: checkedList(at(place, "dsrOptOutNetworks"), args.dsrOptOutNetworks, requireNetworks),
    }),
    ...(args.nodePortAddresses && {
      nodePortAddresses: checkedList(at(place, "nodePortAddresses"), args.nodePortAddresses, requireNodePortAddresses),
    }),
    apiServer: checkedBeside(args.apiServer, [...services, ...pools.map(({ cidr }) => cidr)], (server, cidrs) =>
      requireApiServer(at(place, "apiServer"), server, named(cidrs)),
    ),
    ...(args.flowLog && { flowLog: requireFlowLog(at(place, "flowLog"), args.flowLog) }),
    ...(args.serviceMetrics && {
      serviceMetrics: requireServiceMetrics(at(place, "serviceMetrics"), args.serviceMetrics),
    }),
    ...(args.monitoring && {
      monitoring: requireMonitoring(at(place, "monitoring"), args.monitoring, args.metricsAddress),
    }),
    ...(args.mapSizes && { mapSizes: requireMapSizes(at(place, "mapSizes"), args.mapSizes) }),
    ...(args.failsafeInboundHostPorts && {
      failsafeInboundHostPorts: requireFailsafes(at(place, "failsafeInboundHostPorts"), args.failsafeInboundHostPorts),
    }),
    ...(args.failsafeOutboundHostPorts && {
      failsafeOutboundHostPorts: requireFailsafes(
        at(place, "failsafeOutboundHostPorts"),
        args.failsafeOutboundHostPorts,
      ),
    }),
    ...checkedField(place, "image", image, requireImage),
    ...checkedField(place, "imageRegistry", imageRegistry, requireRegistry),
    ...checkedField(place, "kubeProxyImage", kubeProxyImage, requireImage),
    ipPools: pools,
    networkPolicies: requirePolicies(at(place, "networkPolicies"), networkPolicies),
    serviceSubnet,
  };
}

function requireFlowLog(place: InputPlace, log: FlowLog): FlowLog {
  const whole = (least: number, most: number) => (field: InputPlace, value: number) =>
    requireWhole(field, value, least, most);
  return {
    ...checkedField(place, "intervalSeconds", log.intervalSeconds, whole(SHORTEST_INTERVAL, LONGEST_INTERVAL)),
    ...checkedField(place, "maxFiles", log.maxFiles, whole(1, 1000)),
    ...checkedField(place, "maxFileSizeMb", log.maxFileSizeMb, whole(1, 10_000)),
  };
}

function requireServiceMetrics(place: InputPlace, { namespaces, limit }: ServiceMetrics): ServiceMetrics {
  const field = at(place, "namespaces");
  return {
    ...(namespaces && { namespaces: checkedList(field, namespaces, requireNamespaces) }),
    ...checkedField(place, "limit", limit, (field, value) =>
      requireWhole(field, value, SERVICE_SERIES.least, SERVICE_SERIES.most),
    ),
  };
}

function requireNamespaces(place: InputPlace, namespaces: string[]): string[] {
  if (namespaces.length === 0) refuse(place, namespaces, "at least one namespace, or left out for all");
  namespaces.forEach((namespace, index) => {
    requireLabel(at(place, index), namespace);
  });
  requireUnique((index) => at(place, index), namespaces);
  return namespaces;
}

function requireMapSizes(place: InputPlace, sizes: MapSizes): MapSizes {
  const within = (name: MapSizeField) => (field: InputPlace, value: number) =>
    requireWhole(field, value, MAP_SIZE_LIMITS[name].least, MAP_SIZE_LIMITS[name].most);
  return {
    ...checkedField(place, "connections", sizes.connections, within("bpfMapSizeConntrack")),
    ...checkedField(place, "affinities", sizes.affinities, within("bpfMapSizeNATAffinity")),
    ...checkedField(place, "frontends", sizes.frontends, within("bpfMapSizeNATFrontend")),
    ...checkedField(place, "endpoints", sizes.endpoints, within("bpfMapSizeNATBackend")),
  };
}

function requireFailsafes(place: InputPlace, ports: FailsafePort[]): FailsafePort[] {
  if (ports.length > MOST_FAILSAFES) refuse(place, ports.length, `at most ${MOST_FAILSAFES} ports`);
  return ports.map((item, index) => ({
    ...item,
    ...checkedField(at(place, index), "port", item.port, (field, port) => requireWhole(field, port, 0, 65_535)),
    ...checkedField(at(place, index), "net", item.net, requireAnyCidr),
  }));
}

const MOST_FAILSAFES = 1_024;

function requireUplinks(place: InputPlace, uplinks: string[]): string[] {
  if (uplinks.length === 0)
    refuse(place, uplinks, "at least one interface, or left out: without any no packet is looked at");
  uplinks.forEach((uplink, index) => {
    requireRule(at(place, index), uplink, interfaceRule);
  });
  requireUnique((index) => at(place, index), uplinks);
  return uplinks;
}

function requireNodePortAddresses(place: InputPlace, addresses: string[]): string[] {
  if (addresses.length === 0) refuse(place, addresses, 'at least one network, ["primary"], or left out');
  return addresses.length === 1 && addresses[0] === "primary" ? addresses : requireNetworks(place, addresses);
}

function requireNetworks(place: InputPlace, networks: string[]): string[] {
  return networks.map((network, index) => requireAnyCidr(at(place, index), network));
}

function requireExternalIPs(
  place: InputPlace,
  { externalIPs, externalIPNetworks }: DataplaneSpec,
): Pick<DataplaneSpec, "externalIPNetworks"> {
  if (!externalIPNetworks) return {};
  const field = at(place, "externalIPNetworks");
  if (externalIPs === ExternalIPs.Deny) refuse(field, externalIPNetworks, 'left out: externalIPs is "Deny"');
  const networks = checkedList(field, externalIPNetworks, (_, known) => {
    if (known.length === 0) refuse(field, known, 'at least one network, or externalIPs "Deny"');
    return requireNetworks(field, known);
  });
  return { externalIPNetworks: networks };
}

/** Pools of the address families that Services have. */
function usualPools({ serviceSubnetIpv6 }: DataplaneSpec): IpPoolSpec[] {
  return [{ cidr: POD_NETWORK }, ...(serviceSubnetIpv6 === undefined ? [] : [{ cidr: POD_NETWORK_IPV6 }])];
}

function requirePools(
  args: InputPlace,
  pools: IpPoolSpec[],
  ...[serviceSubnet, serviceSubnetIpv6]: [pulumi.Input<string>, pulumi.Input<string> | undefined]
): NamedPool[] {
  const place = at(args, "ipPools");
  if (pools.length === 0) refuse(place, pools, "at least one pool: without addresses no pod starts");
  const services = { serviceSubnet, ...(serviceSubnetIpv6 !== undefined && { serviceSubnetIpv6 }) };
  const named = pools.map((pool, index) => {
    const [field, earlier] = [at(at(place, index), "cidr"), pools.slice(0, index).map(({ cidr }) => cidr)];
    const required = requirePool(at(place, index), pool);
    const { cidr } = required;
    const apart = checkedBeside(cidr, [...Object.values(services), ...earlier], (known, beside) => {
      if (isIpv6(known) && serviceSubnetIpv6 === undefined)
        refuse(at(args, "serviceSubnetIpv6"), undefined, `given beside the IPv6 network ${known} of ${field.path}`);
      Object.keys(services).forEach((name, place) => {
        const network = beside[place] ?? "";
        if (networksOverlap(known, network)) refuse(field, known, `apart from ${name} ${network}`);
      });
      const others = beside.slice(Object.keys(services).length);
      const other = others.findIndex((cidr) => networksOverlap(cidr, known));
      return other < 0 ? known : refuse(field, known, `apart from ipPools[${other}].cidr ${others[other]}`);
    });
    return { ...required, name: poolName(pool), cidr: apart };
  });
  if (!pools.some(isForAnyPod))
    refuse(place, pools, "at least one pool for pods that name none: without addresses no pod starts");
  requireUnique(
    (index) => at(at(place, index), "name"),
    named.map((pool) => pool.name),
  );
  return named;
}

function requirePolicies(place: InputPlace, policies: NetworkPolicySpec[]): CheckedPolicy[] {
  const checked = policies.map((policy, index) => requirePolicy(at(place, index), policy));
  requireUnique(
    (index) => at(place, index),
    checked.map((policy) => `${policy.namespace}/${policy.name}`),
  );
  return checked;
}
