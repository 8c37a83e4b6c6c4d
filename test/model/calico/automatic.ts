// Automatic host endpoints, by Calico's documentation ("Protect hosts: automatic host endpoints", KubeControllersConfiguration).
import { contains } from "./addresses.ts";
import { remembered, isMisunderstood as wrong } from "./misunderstood.ts";
import type { HostEndpoint, Labels, Node, World } from "./objects.ts";
import { selects } from "./selector.ts";

/** Those that are written, and those that Calico's controller would write for each node. */
export function allHostEndpoints(world: World): HostEndpoint[] {
  return remembered(world, "host endpoints", () => {
    const [configuration] = world.kubeControllersConfigurations;
    const automatic = configuration?.spec.controllers.node.hostEndpoint;
    if (automatic?.autoCreate !== "Enabled") return world.hostEndpoints;
    return [...world.hostEndpoints, ...world.nodes.flatMap((node) => ofNode(node, automatic))];
  });
}

type Settings = NonNullable<
  World["kubeControllersConfigurations"][number]["spec"]["controllers"]["node"]["hostEndpoint"]
>;

/** Other than upstream (docs/limits.md): a kubelet writes most labels of its Node, and must not pass for a namespace or a service account. */
function ownOf(labels: Labels): Labels {
  const isClaim = (label: string) =>
    /^(pcns|pcsa)\.|^projectcalico\.org\/(namespace|serviceaccount|orchestrator)$/.test(label);
  return Object.fromEntries(Object.entries(labels).filter(([label]) => !isClaim(label)));
}

/** "Automatic host endpoints have the labels of their nodes, all interfaces (*), the node's addresses as expectedIPs, and the profile
 * projectcalico-default-allow". */
function ofNode({ metadata, status }: Node, { createDefaultHostEndpoint, templates = [] }: Settings): HostEndpoint[] {
  const addresses = status.addresses.map(({ address }) => address);
  const created = { "projectcalico.org/created-by": "calico-kube-controllers" };
  const labels = wrong("automatic host endpoints have no labels of nodes")
    ? created
    : { ...ownOf(metadata.labels ?? {}), ...created };
  const common = { node: metadata.name, profiles: ["projectcalico-default-allow"] };
  const whole: HostEndpoint[] =
    createDefaultHostEndpoint === "Disabled"
      ? []
      : [
          {
            metadata: { name: `${metadata.name}-auto-hep`, labels },
            spec: {
              ...common,
              ...(!wrong("automatic host endpoints are of one interface") && { interfaceName: "*" }),
              expectedIPs: wrong("automatic host endpoints have no addresses") ? [] : addresses,
            },
          },
        ];
  const ofTemplates = templates
    .filter(({ nodeSelector }) => selects(nodeSelector ?? "", metadata.labels ?? {}))
    .map((template): HostEndpoint => {
      const own = wrong("a template's labels do not count") ? {} : template.labels;
      return {
        metadata: { name: `${metadata.name}-${template.generateName}-auto-hep`, labels: { ...labels, ...own } },
        spec: {
          ...common,
          expectedIPs: addresses.filter((address) => template.interfaceCIDRs.some((net) => contains(net, address))),
        },
      };
    })
    .filter(({ spec }) => spec.expectedIPs?.length);
  return [...whole, ...ofTemplates];
}
