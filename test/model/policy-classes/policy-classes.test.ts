// Every class of cyclonus' cases, all of them, asked of the compiled maps: as the documentation of NetworkPolicy says. The packets are in test/datapath.
import { describe, expect, test } from "vitest";
import { compiledVerdicts } from "../calico/compiled.ts";
import { emptyWorld, type Pod } from "../calico/objects.ts";
import { classesAround } from "./classes.ts";
import { CONTAINER_PORTS, PORTS, PROTOCOLS, type Protocol, reaches, type State } from "./state.ts";

const addressIn = ({ pods }: State) => {
  const names = Object.keys(pods);
  return (name: string) => `10.244.0.${10 + names.indexOf(name) * 3}`;
};

function worldOf(state: State) {
  const addressOf = addressIn(state);
  const pods = Object.entries(state.pods).map(([key, labels]): Pod => {
    const [namespace = "", name = ""] = key.split("/");
    return {
      metadata: { name, namespace, labels: { ...labels } },
      spec: { nodeName: "master", containers: [{ ports: CONTAINER_PORTS }] },
      status: { podIPs: [{ ip: addressOf(key) }] },
    };
  });
  const namespaces = Object.entries(state.namespaces).map(([name, labels]) => ({
    metadata: { name, labels: { "kubernetes.io/metadata.name": name, ...labels } },
  }));
  return { ...emptyWorld(), pods, namespaces, networkPolicies: [...state.policies] };
}

const known = new WeakMap<State, ReturnType<typeof comparing>>();
const compared = (state: State) => {
  const found = known.get(state) ?? comparing(state);
  known.set(state, found);
  return found;
};

/** The pairs about which maps and documentation differ, and how many packets are refused. */
function comparing(state: State) {
  const [world, addressOf] = [worldOf(state), addressIn(state)];
  const compiled = compiledVerdicts(world);
  const found = { wrong: [] as string[], refused: 0, packets: 0 };
  const names = Object.keys(state.pods);
  for (const from of names)
    for (const to of names.filter((name) => name !== from))
      for (const protocol of Object.keys(PROTOCOLS) as Protocol[])
        for (const port of PORTS) {
          const [source, destination] = [addressOf(from), addressOf(to)];
          const packet = {
            source,
            destination,
            protocol: PROTOCOLS[protocol],
            sourcePort: 40_000,
            destinationPort: port,
          };
          const says = (name: string, direction: "ingress" | "egress") => {
            const pod = world.pods[names.indexOf(name)];
            return pod !== undefined && compiled({ pod, direction, packet }) === "allow";
          };
          const seen = says(from, "egress") && says(to, "ingress");
          const right = reaches(state, addressOf, [from, to], { protocol, port });
          found.packets++;
          if (!right) found.refused++;
          if (seen !== right)
            found.wrong.push(`${from} → ${to} ${protocol} ${port}: maps ${seen}, documentation ${right}`);
        }
  return found;
}

const CLASSES = classesAround("10.244.0.34");

describe.each(Object.entries(CLASSES))("%s", (_, cases) => {
  test("maps and documentation say the same of every pair, protocol and port", () => {
    const wrong = cases.flatMap(({ name, steps }) =>
      steps.flatMap((state, index) => compared(state).wrong.map((text) => `${name}, step ${index + 1}: ${text}`)),
    );
    expect(wrong).toEqual([]);
  });
});

test("each case refuses something in one of its steps, but for those that allow everything", () => {
  const open = Object.values(CLASSES)
    .flat()
    .filter(({ steps, isOpen }) => !isOpen !== steps.some((state) => compared(state).refused > 0));
  expect(open.map(({ name }) => name)).toEqual([]);
});

test("there are as many cases as cyclonus has of these classes, and no two of a class are the same", () => {
  const counts = Object.fromEntries(Object.entries(CLASSES).map(([name, cases]) => [name, cases.length]));
  expect(counts).toEqual({
    "pods that a policy selects": 6,
    "no rule, and one for everything": 4,
    "one peer": 22,
    "two peers": 90,
    "protocols and numbers": 26,
    "names and ranges": 24,
    "names and numbers that nobody serves": 6,
    "several ports": 14,
    "the label that namespaces always have": 2,
    "policies against each other": 16,
    "changes meanwhile": 10,
  });
  for (const cases of Object.values(CLASSES)) expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});
