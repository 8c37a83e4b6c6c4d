// Debian's package tools for any processor. For another one than this computer's they have folders of their own: dpkg's state on this
// computer does not change, no architecture is added to it, and nothing is installed.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../cache.ts";
import { type CommandOptions, run } from "../command.ts";
import { type Processor, thisProcessor } from "./processor.ts";

export interface Apt {
  /** The folder with downloaded archives; of this computer's processor that of the system. */
  readonly archives: string;
  /** Whether packages are listed. Lists can be old: `update` renews them. */
  isListed(): boolean;
  get(...words: string[]): Promise<string>;
  /** `apt-get` in a folder, into which `download` writes. */
  getIn(folder: string, ...words: string[]): Promise<string>;
  /** `apt-cache` */
  ask(...words: string[]): Promise<string>;
}

const SYSTEM_LISTS = "/var/lib/apt/lists";

export function aptOf(processor: Processor): Apt {
  const own = processor === thisProcessor() ? undefined : ownFolders(processor);
  const options = (more: CommandOptions = {}): CommandOptions => ({
    timeoutSeconds: 300,
    ...(own && { env: { APT_CONFIG: own.config } }),
    ...more,
  });
  const lists = own?.lists ?? SYSTEM_LISTS;
  return {
    archives: own?.archives ?? "/var/cache/apt/archives",
    isListed: () => existsSync(lists) && readdirSync(lists).some((name) => /_Packages/.test(name)),
    get: (...words) => run("apt-get", words, options()),
    getIn: (folder, ...words) => run("apt-get", words, options({ cwd: folder })),
    ask: (...words) => run("apt-cache", words, options()),
  };
}

function ownFolders({ name }: Processor) {
  const folder = cacheFolder("foreign", name, "apt");
  const [lists, archives] = [join(folder, "lists"), join(folder, "archives")];
  for (const one of [lists, archives]) mkdirSync(join(one, "partial"), { recursive: true });
  const status = join(folder, "status");
  if (!existsSync(status)) writeFileSync(status, "");
  const config = join(folder, "apt.conf");
  writeFileSync(
    config,
    `APT::Architecture "${name}";
APT::Architectures { "${name}"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State::Lists "${lists}";
Dir::State::status "${status}";
Dir::Cache "${folder}";
`,
  );
  return { config, lists, archives };
}
