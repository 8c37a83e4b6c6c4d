// Names of images, as Docker and Kubernetes read them: https://github.com/distribution/reference
const PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const PATH = new RegExp(`^${PART}(?:/${PART})*$`);
const REGISTRY = /^(?:[a-zA-Z0-9][a-zA-Z0-9-]*(?:\.[a-zA-Z0-9][a-zA-Z0-9-]*)*|\[[a-fA-F0-9:]+\])(?::[0-9]{1,5})?$/;
const LONGEST = 400;

/** `registry/repository:tag` of what a person or a pod writes (`shop:1`, `team/shop:1`). Undefined if it is no name with a tag. */
export function fullName(text: string): string | undefined {
  const [, repository = "", tag] = /^(.+):(\w[\w.-]{0,127})$/.exec(text) ?? [];
  if (tag === undefined || text.length > LONGEST) return undefined;
  const [first = "", ...rest] = repository.split("/");
  const hasRegistry = rest.length > 0 && (/[.:A-Z]/.test(first) || first === "localhost");
  const registry = hasRegistry && first !== "index.docker.io" ? first : "docker.io";
  const path = hasRegistry ? rest.join("/") : repository;
  if (!REGISTRY.test(registry) || !PATH.test(path)) return undefined;
  const folder = registry === "docker.io" && !path.includes("/") ? "library/" : "";
  return `${registry}/${folder}${path}:${tag}`;
}

/** The short form of a full name, as people write it. */
export const shortName = (name: string): string => name.replace(/^docker\.io\/(library\/)?/, "");

/** A full name without its tag. */
export const repositoryOf = (name: string): string => name.slice(0, name.lastIndexOf(":"));
