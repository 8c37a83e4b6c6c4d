import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Flow } from "../../../agent/observe/events/flow.ts";
import { faultsOf, noBrowser, startBrowser } from "../../../test/browser.ts";
import { FlowMap } from "./flow-map.ts";
import { type ServedPage, servePage } from "./serve.ts";

/** What somebody might call a policy's rule, or send as a name: an element that runs a script, the end of one, a long word. */
const HOSTILE = `<img src=x onerror="document.title='taken'"></script><script>document.title='taken'</script>`;
const LONG = `pod ${"a".repeat(63)}/${"b".repeat(120)}`;

function flow(port: number, more: Partial<Flow> = {}): Flow {
  return {
    ...{ time: "2026-01-02T03:04:05.678Z", node: "master", protocol: "TCP", verdict: "opened", service: "shop/web" },
    client: { address: "172.31.1.55", port, name: "machine client1" },
    to: { address: "172.31.1.8", port: 30_604, name: "service shop/web" },
    backend: { address: "10.244.0.2", port: 80, name: "pod shop/web-0", workload: "web" },
    ...more,
  };
}
const refused = { verdict: "dropped", reason: "drop_policy_ingress" } as const;

describe.skipIf(noBrowser)(`the page of watch in Chromium${noBrowser ? ` (${noBrowser})` : ""}`, () => {
  let browser: Awaited<ReturnType<typeof startBrowser>>;
  let served: ServedPage;
  const map = new FlowMap();
  beforeAll(async () => {
    for (let port = 1; port <= 30; port++) map.add(flow(port), port);
    map.add(flow(40, { ...refused, rule: "tier security, GlobalNetworkPolicy deny-db, ingress rule 2" }), 40);
    map.add(flow(41, { ...refused, rule: HOSTILE, client: { address: "10.244.0.9", port: 1, name: LONG } }), 41);
    map.add(flow(42, { to: { address: "10.0.0.1", port: 1, name: `service ${HOSTILE}` }, service: HOSTILE }), 42);
    served = await servePage(0, () => map.snapshot("2 nodes   from client1"));
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    served?.close();
  });
  const open = async (width: number, colours: "light" | "dark") => {
    const opened = await browser.open(served.url, width, colours);
    await opened.page.locator("#flows tr").nth(1).waitFor({ timeout: 120_000 });
    return opened;
  };

  test.each([
    [390, "light"],
    [390, "dark"],
    [1280, "light"],
    [1280, "dark"],
  ] as const)(
    "at %i pixels, %s: nothing sticks out, no fault, and nothing is asked of others",
    async (width, colours) => {
      const { page, said, asked } = await open(width, colours);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
      expect(await page.locator("#map svg").isVisible()).toBe(width > 700);
      expect(await faultsOf(page)).toEqual([]);
      expect(said).toEqual([]);
      expect(asked.filter((url) => !url.startsWith("data:"))).toEqual([served.url, `${served.url}events`]);
      await page.close();
    },
  );

  test("names are text, whatever is in them", async () => {
    const { page } = await open(1280, "light");
    expect(await page.title()).toBe("ebpf-dataplane watch");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("script").count()).toBe(1);
    expect(await page.locator("#edges").textContent()).toContain(HOSTILE);
    await page.close();
  });

  test("paused, it keeps what it shows, and shows the latest afterwards; all of it by the keyboard", async () => {
    const { page } = await open(1280, "light");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    expect(await page.getByRole("checkbox", { name: "pause" }).isChecked()).toBe(true);
    expect(await page.getByRole("status").textContent()).toBe("paused");
    await page.evaluate("window.first = document.querySelector('#flows tr')");
    // The page hears of it: what it does not show is there as soon as it may be shown.
    const heard = page.evaluate(
      "new Promise((resolve) => source.addEventListener('message', ({ data }) => data.includes('shop/paused') && resolve(true)))",
    );
    map.add(flow(60, { service: "shop/paused" }), 60);
    expect(await heard).toBe(true);
    expect(await page.evaluate("window.first.isConnected")).toBe(true);
    expect(await page.locator("#flows").textContent()).not.toContain("shop/paused");
    await page.keyboard.press("Space");
    await page.locator("#flows").getByText("shop/paused").waitFor({ timeout: 120_000 });
    expect(await page.getByRole("status").textContent()).toBe("live");
    await page.close();
  });

  test("what has not changed is not drawn again", async () => {
    const { page } = await open(1280, "light");
    await page.evaluate("window.first = document.querySelector('#flows tr')");
    await page.evaluate(
      "new Promise((resolve) => { let left = 2; source.addEventListener('message', () => --left === 0 && resolve()); })",
    );
    expect(await page.evaluate("window.first.isConnected")).toBe(true);
    await page.close();
  });

  test.each([390, 1280])(
    "at %i pixels a screen reader is told tables with their captions, rows and cells",
    async (width) => {
      const { page } = await open(width, "light");
      const session = await page.context().newCDPSession(page);
      const { nodes } = (await session.send("Accessibility.getFullAXTree")) as {
        nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
      };
      const named = (role: string) =>
        nodes.filter((node) => !node.ignored && node.role?.value === role).map((node) => node.name?.value);
      expect(named("table")).toEqual(["Who talks to whom since the start, by workload", "The last 20", "The last 100"]);
      expect(named("columnheader")).toHaveLength(17);
      expect(named("row").length).toBeGreaterThan(30);
      expect(named("cell").length).toBeGreaterThan(100);
      await page.close();
    },
  );

  test("it shows what happens, with the policy of a refusal, and only refusals if asked", async () => {
    const { page } = await open(1280, "light");
    expect(await page.locator("#title").textContent()).toBe("2 nodes   from client1");
    expect(await page.locator("#drops").textContent()).toContain("deny-db rule 2 (tier security)");
    map.add(flow(50, { service: "shop/later" }), 50);
    await page.locator("#flows").getByText("shop/later").waitFor({ timeout: 120_000 });
    await page.locator("#only").check();
    expect(await page.locator("#flows tr").count()).toBe(2);
    await page.close();
  });
});
