import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultsOf, noBrowser, startBrowser } from "../test/browser.ts";
import { fixtureComparison, fixtureScale, fixtureThroughput } from "./measured.fixture.ts";
import { fixtureVerification } from "./verification.fixture.ts";
import { writeReport } from "./write.ts";

const output = join(import.meta.dirname, "..", "..", "out", "report-test");
const file = join(output, "report.html");

describe.skipIf(noBrowser)(`the report in Chromium${noBrowser ? ` (${noBrowser})` : ""}`, () => {
  let browser: Awaited<ReturnType<typeof startBrowser>>;
  beforeAll(async () => {
    mkdirSync(output, { recursive: true });
    const measured = { compare: fixtureComparison(), throughput: fixtureThroughput(), scale: fixtureScale() };
    writeReport(
      { verification: fixtureVerification(), ...measured, writtenAt: new Date("2026-11-21T15:00:00Z") },
      file,
    );
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  const open = (width: number, colours: "light" | "dark") => browser.open(pathToFileURL(file).href, width, colours);

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
    expect(await faultsOf(page)).toEqual([]);
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
