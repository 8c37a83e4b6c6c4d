// Debian's Chromium, for tests of pages.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";

const executablePath = "/usr/bin/chromium";
// Besides what a container needs: the browser itself must not ask the network for anything.
const args =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(
    " ",
  );

/** Only a hang takes so long, however busy the machine is. */
const timeout = 840_000;

/** Why there is no browser here. */
export const noBrowser = existsSync(executablePath)
  ? undefined
  : `SKIP: no ${executablePath}; \`make test\` installs it`;

export interface Opened {
  page: Page;
  /** What the page wrote to the console, and its errors. */
  said: string[];
  /** The addresses that it asked for. */
  asked: string[];
}

/** A browser with a profile of its own. */
export async function startBrowser() {
  const profile = mkdtempSync(join(tmpdir(), "chromium-"));
  const browser = await chromium.launchPersistentContext(profile, { executablePath, args, headless: true, timeout });
  browser.setDefaultTimeout(timeout);
  return {
    /** A page at one width and in one choice of colours. */
    open: async (url: string, width: number, colorScheme: "light" | "dark"): Promise<Opened> => {
      const page = await browser.newPage();
      const said: string[] = [];
      const asked: string[] = [];
      page.on("console", (message) => said.push(message.text()));
      page.on("pageerror", (error) => said.push(error.message));
      page.on("request", (request) => asked.push(request.url()));
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.goto(url);
      return { page, said, asked };
    },
    close: async () => {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** What axe finds. */
export async function faultsOf(page: Page): Promise<string[]> {
  const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  // Not addScriptTag: the page's own policy lets no other script in, as it should.
  await page.evaluate(readFileSync(axe, "utf8"));
  return page.evaluate(
    "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).slice(0, 3).join(' | ')))",
  );
}
