// Golden stories: objects in, the maps' content in words out, step by step. Each story is also told backwards: the
// objects of a step in reverse order give the same maps, and when everything is deleted the maps are empty.
// UPDATE_STORIES=1 writes what comes out into the files; read the difference before you commit it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseDocument } from "yaml";
import type { KindName } from "../../model/objects/kinds.ts";
import { kindNames } from "../../model/objects/kinds.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { kinds } from "../watch/kinds.ts";
import { problemText } from "../watch/problem-reporter.ts";
import { SnapshotStore } from "../watch/snapshot-store.ts";
import { Compiler } from "./compile.ts";
import type { DesiredState } from "./desired.ts";
import { type MapsInWords, mapsInWords } from "./maps-in-words.fixture.ts";
import type { LocalEndpoint, NodeFacts } from "./snapshot.ts";

interface StoryObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}
interface Outcome extends MapsInWords {
  routes: readonly string[];
  /** "Service default/web at port 32000: 2", "leaving", "kube-proxy's" */
  health: readonly string[];
  problems: readonly string[];
}
interface Step {
  say: string;
  put?: StoryObject[];
  remove?: StoryObject[];
  endpoints?: LocalEndpoint[];
  then: Partial<Outcome>;
}
interface Story {
  story: string;
  node: string;
  steps: Step[];
}

const folder = join(import.meta.dirname, "stories");
const cluster = parse(readFileSync(join(folder, "cluster.yaml"), "utf8")) as {
  facts: Record<string, NodeFacts>;
  objects: StoryObject[];
};

/** An agent on memory maps, from stored objects to words. */
class Agent {
  readonly store = new SnapshotStore(() => {});
  readonly #compiler = new Compiler();
  readonly #maps = memoryMaps();
  readonly #reconciler = new Reconciler(this.#maps);
  readonly #facts: NodeFacts;

  constructor(node: string, objects: readonly StoryObject[]) {
    this.#facts = cluster.facts[node] as NodeFacts;
    for (const name of kindNames)
      this.store.replace(
        name,
        objects.filter((object) => kindOf(object) === name),
      );
  }

  outcome(endpoints: readonly LocalEndpoint[]): Outcome {
    const state = this.#compiler.compile(this.store.snapshot(this.#facts, endpoints));
    expect(this.#reconciler.sync(state.maps)).toMatchObject({ problems: [], pending: 0 });
    return {
      ...mapsInWords(this.#maps),
      health: healthInWords(state),
      routes: state.routes.map((route) => JSON.stringify(route)).sort(),
      problems: [...this.store.problems(), ...state.problems].map(problemText).sort(),
    };
  }
}

function kindOf({ apiVersion, kind }: StoryObject): KindName {
  const found = kindNames.find((name) => kinds[name].apiVersion === apiVersion && kinds[name].kind === kind);
  if (!found) throw new Error(`The story has an object of a kind that is not watched: ${apiVersion} ${kind}.`);
  return found;
}

function idOf(object: StoryObject): string {
  return `${kindOf(object)} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

for (const file of readdirSync(folder).filter((name) => name !== "cluster.yaml")) {
  const path = join(folder, file);
  const document = parseDocument(readFileSync(path, "utf8"));
  const { story, node, steps } = document.toJS() as Story;

  describe(story, () => {
    const agent = new Agent(node, cluster.objects);
    const present = new Map<string, StoryObject>();
    let endpoints: readonly LocalEndpoint[] = [];
    const before = agent.outcome([]);

    for (const [index, step] of steps.entries()) {
      test(step.say, () => {
        for (const object of step.put ?? []) {
          agent.store.put(kindOf(object), object);
          present.set(idOf(object), object);
        }
        for (const object of step.remove ?? []) {
          agent.store.remove(kindOf(object), object);
          present.delete(idOf(object));
        }
        endpoints = step.endpoints ?? endpoints;
        const outcome = agent.outcome(endpoints);
        const shown = Object.fromEntries(Object.keys(step.then).map((part) => [part, outcome[part as keyof Outcome]]));
        if (process.env.UPDATE_STORIES) document.setIn(["steps", index, "then"], document.createNode(shown));
        else expect(shown).toEqual(step.then);

        // A bad object is judged by what was there before it, which a fresh agent does not know.
        if (outcome.problems.some((problem) => /last good version|until it is fixed/.test(problem))) return;
        const fresh = new Agent(node, [...cluster.objects, ...present.values()].reverse());
        expect(fresh.outcome([...endpoints].reverse())).toEqual(outcome);
      });
    }

    test("with everything deleted the maps are as before", () => {
      for (const object of [...present.values()].reverse()) agent.store.remove(kindOf(object), object);
      expect(agent.outcome([])).toEqual(before);
      expect(before).toMatchObject({ services: [], backends: [], endpoints: [], policies: [] });
      if (process.env.UPDATE_STORIES) writeFileSync(path, document.toString({ lineWidth: 120 }));
    });
  });
}

function healthInWords({ health }: DesiredState): string[] {
  if (!health) return ["kube-proxy's"];
  const checks = health.checks.map(
    ({ namespace, name, port, localEndpoints }) => `Service ${namespace}/${name} at port ${port}: ${localEndpoints}`,
  );
  return [...checks.sort(), ...(health.leaving ? ["leaving"] : [])];
}
