// `node tools/images/root.ts linux/arm64 FOLDER`: the agent's image as a folder, for the Containerfile.
import { buildAgentImage } from "./build.ts";
import { processorsOf } from "./processor.ts";
import { unpackImage } from "./unpack.ts";

try {
  const [platform = "", folder] = process.argv.slice(2);
  const [processor, ...more] = processorsOf(platform);
  if (!processor || more.length > 0 || !folder) throw new Error("Usage: node tools/images/root.ts linux/amd64 FOLDER");
  unpackImage((await buildAgentImage(processor)).file, folder);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
