import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../program/installed-program.ts";

/** Content hashes of the images that were built for local clusters. */
export interface LocalImageDigests {
  /** The agent's image. */
  agent: string;
  /** All images together. */
  all: string;
}

const AGENT_IMAGE = "docker.io/library/ebpf-dataplane:local";

/** Before anything was built (a preview on a new computer) nothing has a hash; the build precedes every deployment. */
const NOTHING_BUILT: LocalImageDigests = { agent: "", all: "" };

/** Reads the list that the image builder leaves beside this package's programs. */
export function localImageDigests(): LocalImageDigests {
  const list = join(packageRoot(), "dist", "images.json");
  if (!existsSync(list)) return NOTHING_BUILT;
  const images = JSON.parse(readFileSync(list, "utf8")) as { names: string[]; digest: string }[];
  const all = createHash("sha256").update(images.map((image) => image.digest).join("\n"));
  return {
    agent: images.find((image) => image.names.includes(AGENT_IMAGE))?.digest ?? "",
    all: `sha256:${all.digest("hex")}`,
  };
}
