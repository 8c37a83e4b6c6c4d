import type { FelixConfiguration } from "../objects/calico.ts";
import type { Problem } from "../problem.ts";
import {
  annotations,
  type ReturnMode,
  returnModeOf,
  type ServiceHandling,
  type SocketTranslation,
  type XdpMode,
} from "./mode.ts";

/** The role of kube-proxy on a node. active: it handles Services, and our programs leave them to it; remove-rules: its rules remain from
 * a kube-proxy that no longer runs; ignore: neither. */
export type KubeProxy = "active" | "remove-rules" | "ignore";

/** How Services are handled, as FelixConfiguration `default` says. */
export interface Mode {
  readonly serviceHandling: ServiceHandling;
  readonly returnMode: ReturnMode;
  readonly socketTranslation: SocketTranslation;
  readonly xdp: XdpMode;
  readonly kubeProxy: KubeProxy;
}

/** The configuration that is in force. */
export function defaultConfiguration(configurations: readonly FelixConfiguration[]): FelixConfiguration | undefined {
  return configurations.find(({ metadata }) => metadata.name === "default");
}

/** What a configuration asks for; without one, everything is at its default. */
export function modeOf(configuration: FelixConfiguration | undefined): Mode {
  const serviceHandling = configuration?.metadata.annotations?.[annotations.serviceHandling] ?? "Ebpf";
  return {
    serviceHandling,
    returnMode: returnModeOf(configuration?.spec.bpfExternalServiceMode),
    socketTranslation: socketTranslationOf(configuration),
    xdp: configuration?.metadata.annotations?.[annotations.xdp] ?? "Disabled",
    kubeProxy: serviceHandling === "Ebpf" ? afterKubeProxy(configuration) : "active",
  };
}

/** Calico's value for "not pods' sockets" is Disabled. Its TCP and Enabled differ in who translates datagrams, not in where they go. */
function socketTranslationOf(configuration: FelixConfiguration | undefined): SocketTranslation {
  const own = configuration?.metadata.annotations?.[annotations.socketTranslation];
  return own ?? (configuration?.spec.bpfConnectTimeLoadBalancing === "Disabled" ? "HostOnly" : "All");
}

function afterKubeProxy(configuration: FelixConfiguration | undefined): KubeProxy {
  return (configuration?.spec.bpfKubeProxyIptablesCleanupEnabled ?? true) ? "remove-rules" : "ignore";
}

/** Configurations that are not read. */
export function configurationProblems(configurations: readonly FelixConfiguration[]): Problem[] {
  return configurations
    .filter(({ metadata }) => metadata.name !== "default")
    .map(({ metadata }) => ({
      kind: "FelixConfiguration",
      name: metadata.name,
      path: "metadata.name",
      message: 'only "default" is read; settings of single nodes are not supported.',
    }));
}
