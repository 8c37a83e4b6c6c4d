import { type InputPlace, refuse } from "../refusal/refusal.ts";

// The grammar of references (distribution/reference): a host with a dot, a port or "localhost" may be in front.
const HOST = "[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?";
const PART = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*";
const REGISTRY = new RegExp(`^${HOST}(/${PART})*$`);
const IMAGE = new RegExp(`^(${HOST}/)?${PART}(/${PART})*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$`);

/** Refuses what is no registry with its path: a scheme, a slash at the end, a tag. */
export function requireRegistry(place: InputPlace, registry: string): string {
  if (REGISTRY.test(registry)) return registry;
  const bare = bareOf(registry).replace(/(?<=\/[^/]*):[^/]*$/, "");
  const meant = bare !== registry && REGISTRY.test(bare) ? ` (did you mean "${bare}"?)` : "";
  return refuse(
    place,
    registry,
    `a registry with its path, like images.example.com/team, without scheme and tag${meant}`,
  );
}

/** Refuses what no container engine takes for the name of an image. */
export function requireImage(place: InputPlace, image: string): string {
  if (IMAGE.test(image)) return image;
  const bare = bareOf(image);
  const meant = bare !== image && IMAGE.test(bare) ? ` (did you mean "${bare}"?)` : "";
  return refuse(place, image, `the name of an image, like images.example.com/team/image:tag${meant}`);
}

function bareOf(text: string): string {
  return text
    .trim()
    .replace(/^\w+:\/\//, "")
    .replace(/\/+$/, "");
}
