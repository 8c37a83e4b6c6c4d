import { type ComparedMode, comparedModes } from "../results/compare.ts";

/** Colours by purpose; every name is a CSS variable of the page. */
export interface Theme {
  background: string;
  surface: string;
  text: string;
  muted: string;
  /** Of boxes and rules: decoration, no information. */
  line: string;
  link: string;
  pass: string;
  fail: string;
  warn: string;
  modes: Record<ComparedMode, string>;
}

export const themes: Record<"light" | "dark", Theme> = {
  light: {
    background: "#ffffff",
    surface: "#f6f7f9",
    text: "#1a1f26",
    muted: "#566070",
    line: "#d9dee5",
    link: "#1d5fc2",
    pass: "#136c3a",
    fail: "#b3261e",
    warn: "#9a4a06",
    modes: {
      KubeProxyIptables: "#b4530a",
      KubeProxyNftables: "#a0318a",
      EbpfTunnel: "#2563d9",
      EbpfDsr: "#0b7568",
      Direct: "#5d6b7e",
    },
  },
  dark: {
    background: "#10141a",
    surface: "#181e26",
    text: "#e6eaf0",
    muted: "#9ba7b6",
    line: "#303946",
    link: "#7fb2ff",
    pass: "#58cf8b",
    fail: "#ff8f84",
    warn: "#f2ae62",
    modes: {
      KubeProxyIptables: "#f0a052",
      KubeProxyNftables: "#e58ad0",
      EbpfTunnel: "#77aaff",
      EbpfDsr: "#42c9b4",
      Direct: "#9aa8bb",
    },
  },
};

/** Text on what is behind it, WCAG 2.2 AA: 4.5 to 1. Every colour but `line` is read as text somewhere. */
export const minimumContrast = 4.5;

/** Every pair of colours that the page puts on each other. */
export function contrastPairs(theme: Theme): { name: string; foreground: string; background: string }[] {
  const { background, surface, line: _, modes, ...texts } = theme;
  const foregrounds = { ...texts, ...modes };
  return Object.entries(foregrounds).flatMap(([name, foreground]) => [
    { name: `${name} on background`, foreground, background },
    { name: `${name} on surface`, foreground, background: surface },
  ]);
}

/** The CSS variable of a mode's colour. */
export function modeColour(mode: string | undefined): string {
  return comparedModes.some((known) => known === mode) ? `var(--${mode})` : (aliases[mode ?? ""] ?? "var(--EbpfDsr)");
}

/** For charts that only distinguish "eBPF" and its baseline. */
const aliases: Record<string, string> = {
  Ebpf: "var(--EbpfDsr)",
  Linux: "var(--KubeProxyIptables)",
  Floor: "var(--Direct)",
};

/** A theme as declarations of CSS variables. */
export function declarations({ modes, ...colours }: Theme): string {
  return Object.entries({ ...colours, ...modes })
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(" ");
}
