import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { buildReport } from "../build.ts";
import { fixtureComparison, fixtureScale, fixtureThroughput } from "../measured.fixture.ts";
import { fixtureVerification } from "../verification.fixture.ts";
import { renderReport } from "./page.tsx";
import { contrastPairs, minimumContrast, themes } from "./theme.ts";

const writtenAt = new Date("2026-11-21T15:00:00Z");
const everything = {
  verification: fixtureVerification(),
  compare: fixtureComparison(),
  throughput: fixtureThroughput(),
  scale: fixtureScale(),
  writtenAt,
};
const html = renderReport(buildReport(everything));
const { document } = parseHTML(html);

describe("the page", () => {
  it("has a table behind every plot", () => {
    const plots = [...document.querySelectorAll("figure")];
    expect(plots.length).toBeGreaterThan(10);
    for (const plot of plots)
      expect(plot.querySelectorAll("details table tbody tr").length, plot.id).toBeGreaterThan(0);
  });

  it("names every drawing, for screen readers", () => {
    for (const svg of document.querySelectorAll("svg[role=img]")) {
      const [title, description] = (svg.getAttribute("aria-labelledby") ?? "")
        .split(" ")
        .map((id) => document.getElementById(id));
      expect(title?.textContent).not.toBe("");
      expect(description?.textContent?.length).toBeGreaterThan(20);
    }
  });

  it("uses an id once", () => {
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("needs nothing from elsewhere", () => {
    expect(html).not.toMatch(/(?:src|href)="(?!#|data:)/);
    expect(html).not.toMatch(/@import|url\((?!#)/);
  });

  it("has one list of what was not measured, and no chapter without a result", () => {
    const thin = parseHTML(renderReport(buildReport({ writtenAt }))).document;
    expect([...thin.querySelectorAll("main > section")].map(({ id }) => id)).toEqual(["verdict", "not-measured"]);
    expect([...thin.querySelectorAll("nav a")].map((link) => link.getAttribute("href"))).toEqual(["#not-measured"]);
    expect(thin.querySelectorAll("#not-measured li")).toHaveLength(4);
    expect(thin.querySelector("h1")?.textContent).toBe("Nothing is known yet: no result was found.");
  });

  it("names only chapters that are there", () => {
    const verified = parseHTML(renderReport(buildReport({ verification: fixtureVerification(), writtenAt }))).document;
    for (const page of [document, verified])
      expect([...page.querySelectorAll("nav a")].map((link) => link.getAttribute("href"))).toEqual(
        [...page.querySelectorAll("main > section:not(#verdict)")].map(({ id }) => `#${id}`),
      );
  });

  it("marks figures of another day", () => {
    expect(document.querySelector("#throughput .stamp")?.textContent).toContain("19 November 2026");
    expect(document.querySelector("#latency .stamp")).toBeNull();
  });

  it("lets a hostile name be nothing but text, in tables, drawings and plots", () => {
    const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`;
    const text = JSON.stringify(everything).replaceAll(
      "default/nginx-7c5ddbdf54-x2mpq",
      JSON.stringify(hostile).slice(1, -1),
    );
    const named = JSON.parse(text) as typeof everything;
    for (const mode of named.compare.modes) mode.packetsPerConnection = { [hostile]: 3 };
    const page = renderReport(buildReport({ ...named, writtenAt }));
    expect(page.split("<script").length).toBe(2);
    expect(page).not.toMatch(/<img/);
    const read = parseHTML(page).document;
    expect(read.querySelector(".way svg text[text-anchor=middle]")).not.toBeNull();
    expect([...read.querySelectorAll("#packets svg text")].some(({ textContent }) => textContent === hostile)).toBe(
      true,
    );
  });
});

describe("colours", () => {
  const channel = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  /** Relative luminance, WCAG 2.2. */
  function luminance(colour: string): number {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) =>
      channel(Number.parseInt(colour.slice(at, at + 2), 16) / 255),
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
  function contrast(one: string, other: string): number {
    const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
    return (lighter + 0.05) / (darker + 0.05);
  }

  it("have the contrast of the formula", () => expect(contrast("#000000", "#ffffff")).toBeCloseTo(21));

  it.each(
    Object.entries(themes).flatMap(([theme, colours]) => contrastPairs(colours).map((pair) => ({ theme, ...pair }))),
  )("$theme: $name is readable", ({ foreground, background }) =>
    expect(contrast(foreground, background)).toBeGreaterThanOrEqual(minimumContrast),
  );
});

describe("a page with a verification and without measurements", () => {
  const { environment: _, ...verification } = fixtureVerification();
  const page = parseHTML(
    renderReport(buildReport({ verification, writtenAt: new Date("2026-11-27T08:00:00Z") })),
  ).document;

  it("shows when and where it was verified, not when it was written", () => {
    const text = page.querySelector("#verdict .eyebrow")?.textContent;
    expect(text).toContain(
      "21 November 2026, 14:05 UTC, on https://172.31.1.8:6443 (Kubernetes v1.35.0, kube-system 0f2e",
    );
    expect(text).toContain("by ebpf-dataplane 0.1.0 at 2ea30cf94139");
    expect(page.querySelector("#environment")?.textContent).toContain(
      "to 2026-11-21T14:05:31.000Z on https://172.31.1.8",
    );
  });
});
