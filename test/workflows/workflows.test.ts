import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const makefile = read("Makefile");

interface Workflow {
  jobs: Record<string, { steps: { run?: string; uses?: string; name?: string }[] }>;
}

/** Verbs of the Pulumi CLI with the options that are used, from its own help (3.259). */
const PULUMI: Record<string, string[]> = {
  "stack select": ["--create"],
  "stack ls": ["--json"],
  "config set": ["--stack", "--path"],
  up: ["--yes", "--skip-preview", "--stack"],
  destroy: ["--yes", "--skip-preview", "--remove", "--stack"],
};

describe.each(["preview", "review-stack"])("the workflow example %s", (name) => {
  const path = `examples/github/${name}.yml`;
  const content = read(path);
  const steps = Object.values((parse(content) as Workflow).jobs).flatMap((job) => job.steps);
  const scripts = steps.flatMap(({ run }) => run ?? []);

  test("names each action with its version", () => {
    for (const { uses } of steps) if (uses) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
  });

  test("runs scripts that bash can parse, and inserts no outside text into them", () => {
    for (const script of scripts) {
      expect(spawnSync("bash", ["-n"], { input: script, encoding: "utf8" }).stderr).toBe("");
      // An expression in a script would run the text of a branch name or a title.
      expect(script).not.toContain("${{");
    }
  });

  test("runs commands that exist", () => {
    for (const [, goal, rest = ""] of scripts.join("\n").matchAll(/\bmake --silent -C \w+ ([a-z-]+)(.*)$/gm)) {
      expect(makefile).toMatch(new RegExp(`^${goal}:.*## `, "m"));
      for (const [, variable] of rest.matchAll(/\b([A-Z]+)=/g)) expect(makefile).toContain(`$(${variable})`);
    }
    const { scripts: own } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    for (const [, script = ""] of scripts.join("\n").matchAll(/\bnpm run (\S+)/g)) expect(own).toHaveProperty(script);
    for (const [, words = ""] of scripts.join("\n").matchAll(/\bpulumi ((?:stack |config )?[a-z]+[^|;<\n]*)/g)) {
      const verb = Object.keys(PULUMI).find((known) => words.startsWith(`${known} `));
      expect(verb, `pulumi ${words}`).toBeDefined();
      for (const [option] of words.matchAll(/--[a-z-]+/g)) expect(PULUMI[verb ?? ""]).toContain(option);
    }
  });

  test("sets the configuration that the stack reads", () => {
    const stack = `${read("stacks/aws.ts")}${read("index.ts")}`;
    for (const [, key] of scripts.join("\n").matchAll(/ebpf-dataplane:(\w+)/g)) {
      expect(stack).toMatch(new RegExp(`\\.(get|require)\\w*(<[^>]*>+)?\\("${key}"\\)`));
    }
  });
});

test("a review stack is removed when its pull request is closed, when its label is removed, and when it expires", () => {
  const workflow = parse(read("examples/github/review-stack.yml")) as {
    on: { pull_request: { types: string[] }; schedule: object[] };
    env: Record<string, unknown>;
  } & Workflow;
  expect(workflow.on.pull_request.types).toEqual(expect.arrayContaining(["closed", "unlabeled"]));
  expect(workflow.on.schedule).toHaveLength(1);
  expect(workflow.env.TTL_HOURS).toBeGreaterThan(0);
  for (const job of ["down", "expire"]) {
    expect(workflow.jobs[job]?.steps.at(-1)?.run).toMatch(/pulumi destroy --yes --skip-preview --remove --stack/);
  }
});
