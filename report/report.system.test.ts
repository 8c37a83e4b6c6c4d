import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixtureComparison, fixtureScale, fixtureThroughput } from "./measured.fixture.ts";
import { fixtureVerification } from "./verification.fixture.ts";
import { writeReport } from "./write.ts";

const executablePath = "/usr/bin/chromium";
// Besides what a container needs: the browser itself must not ask the network for anything.
const args =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(
    " ",
  );
const skip = existsSync(executablePath) ? undefined : `SKIP: no ${executablePath}; \`make test\` installs it`;

const output = join(import.meta.dirname, "..", "..", "out", "report-test");
const file = join(output, "report.html");

describe.skipIf(skip)(`the report in Chromium${skip ? ` (${skip})` : ""}`, () => {
  let browser: BrowserContext;
  let profile: string;
  beforeAll(async () => {
    mkdirSync(output, { recursive: true });
    const measured = { compare: fixtureComparison(), throughput: fixtureThroughput(), scale: fixtureScale() };
    writeReport(
      { verification: fixtureVerification(), ...measured, writtenAt: new Date("2026-11-21T15:00:00Z") },
      file,
    );
    profile = mkdtempSync(join(tmpdir(), "chromium-"));
    browser = await chromium.launchPersistentContext(profile, { executablePath, args, headless: true });
  });
  afterAll(async () => {
    await browser?.close();
    if (profile) rmSync(profile, { recursive: true, force: true });
  });

  /** The page at one width and in one choice of colours, and what it said or asked for. */
  async function open(
    width: number,
    colorScheme: "light" | "dark",
  ): Promise<{ page: Page; said: string[]; asked: string[] }> {
    const page = await browser.newPage();
    const said: string[] = [];
    const asked: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(error.message));
    page.on("request", (request) => asked.push(request.url()));
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await page.goto(pathToFileURL(file).href);
    return { page, said, asked };
  }

  it.each([
    [390, "light"],
    [390, "dark"],
    [1280, "light"],
    [1280, "dark"],
  ] as const)("at %i pixels, %s: says nothing, asks for nothing, and nothing sticks out", async (width, colours) => {
    const { page, said, asked } = await open(width, colours);
    await page.screenshot({ path: join(output, `${colours}-${width}.png`), fullPage: true });
    expect(said).toEqual([]);
    expect(asked.filter((url) => !url.startsWith("data:"))).toEqual([pathToFileURL(file).href]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    const plots = await boxes(page, "figure svg");
    expect(plots).toHaveLength(await page.locator("figure").count());
    for (const { width: wide, height } of plots) expect(Math.min(wide, height)).toBeGreaterThan(90);
    await page.close();
  });

  it("at 390 pixels captions of tables are lines of words, not one word a line", async () => {
    const { page } = await open(390, "light");
    const captions = await page.locator("table.stack caption:visible").all();
    expect(captions.length).toBeGreaterThan(1);
    for (const caption of captions) {
      const { width = 0, height = 0 } = (await caption.boundingBox()) ?? {};
      const words = ((await caption.textContent()) ?? "").split(" ").length;
      expect(width, `${words} words`).toBeGreaterThan(300);
      expect(height, `${words} words`).toBeLessThan(20 * Math.max(2, words));
    }
    await page.close();
  });

  it.each([390, 1280])(
    "at %i pixels no two labels of a way lie on each other, and none leaves its drawing",
    async (width) => {
      const { page } = await open(width, "light");
      const drawings = await page.locator("svg[data-path]").all();
      expect(drawings).toHaveLength(4);
      for (const drawing of drawings) {
        const frame = await drawing.boundingBox();
        const texts = (
          await Promise.all((await drawing.locator("text").all()).map((text) => text.boundingBox()))
        ).flatMap((box) => box ?? []);
        for (const [index, one] of texts.entries()) {
          expect(one.x + one.width).toBeLessThanOrEqual((frame?.x ?? 0) + (frame?.width ?? 0) + 1);
          for (const other of texts.slice(index + 1)) expect(overlap(one, other)).toBeLessThan(3);
        }
      }
      await page.close();
    },
  );

  it("is usable by keyboard: skip link, colours, tables", async () => {
    const { page } = await open(1280, "light");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.className")).toBe("skip");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("verdict-heading");

    const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const [light, button] = [await background(), page.locator("#theme")];
    await button.focus();
    await page.keyboard.press("Space");
    expect(await button.getAttribute("aria-pressed")).toBe("true");
    expect(await background()).not.toBe(light);
    await page.keyboard.press("Enter");
    expect(await background()).toBe(light);

    const summary = page.locator("#latency-distribution summary");
    await summary.focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("#latency-distribution table").isVisible()).toBe(true);
    await page.close();
  });

  it.each(["light", "dark"] as const)("has no fault that axe finds, %s, with every table open", async (colours) => {
    const { page } = await open(1280, colours);
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
    const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
    // Not addScriptTag: the page's own policy lets no other script in, as it should.
    await page.evaluate(readFileSync(axe, "utf8"));
    const faults = await page.evaluate(
      "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).slice(0, 3).join(' | ')))",
    );
    expect(faults).toEqual([]);
    await page.close();
  });

  it("prints in light colours, with every table", async () => {
    const { page } = await open(1280, "dark");
    const pdf = await page.pdf({ format: "A4" });
    writeFileSync(join(output, "report.pdf"), pdf);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    expect(pdf.length).toBeGreaterThan(50_000);
    await page.close();
  });
});

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

async function boxes(page: Page, selector: string): Promise<Rectangle[]> {
  const all = await Promise.all((await page.locator(selector).all()).map((each) => each.boundingBox()));
  return all.flatMap((box) => (box && box.width > 0 ? [box] : []));
}

/** How far two rectangles reach into each other, pixels in the smaller direction. */
function overlap(one: Rectangle, other: Rectangle): number {
  const across = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const down = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return Math.max(0, Math.min(across, down));
}
