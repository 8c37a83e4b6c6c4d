import { compiledVerdicts } from "./compiled.ts";
import { compiledHostVerdicts } from "./compiled-hosts.ts";
import { podEntity } from "./entities.ts";
import { podVerdict } from "./evaluate.ts";
import { FAILSAFES, type Failsafe, type HostQuestion, hostVerdict } from "./hosts.ts";
import type { Direction, World } from "./objects.ts";
import { inWords, type Question } from "./packets.ts";

/** The packets about which evaluator and compiled maps differ, in words. */
export function disagreements(world: World, asked: readonly Question[]): string[] {
  const compiled = compiledVerdicts(world);
  return asked.flatMap((question) => {
    const model = podVerdict(world, podEntity(world, question.pod), question.direction, question.packet);
    const maps = compiled(question);
    return model === maps ? [] : [`${inWords(question)}: evaluator ${model}, maps ${maps}`];
  });
}

/** The same about packets from and to the node's own processes. */
export function hostDisagreements(world: World, asked: readonly HostQuestion[]): string[] {
  const compiled = compiledHostVerdicts(world);
  return asked.flatMap((question) => {
    const [model, maps] = [hostVerdict(world, question, PRODUCT_FAILSAFES), compiled(question)];
    const { interface: at } = question;
    return model === maps ? [] : [`at ${at.name}, ${inWords(question)}: evaluator ${model}, maps ${maps}`];
  });
}

/** The product adds DHCPv6, the kubelet, the tunnel and DNS over TCP to Calico's list (docs/fields.md). */
export const PRODUCT_FAILSAFES: Record<Direction, readonly Failsafe[]> = {
  ingress: [...FAILSAFES.ingress, { protocol: 6, port: 10250 }, ...udp(546, 4789)],
  egress: [...FAILSAFES.egress, { protocol: 6, port: 10250 }, { protocol: 6, port: 53 }, ...udp(547, 4789)],
};

function udp(...ports: number[]): Failsafe[] {
  return ports.map((port) => ({ protocol: 17, port }));
}

/** The objects of a world that matter, one a line. */
export function worldInWords(world: World): string {
  const lines = Object.entries(world).flatMap(([kind, list]) =>
    (list as unknown[]).map((item) => `  ${kind}: ${JSON.stringify(item)}`),
  );
  return lines.join("\n");
}
