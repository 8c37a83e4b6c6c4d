import type { Measurement } from "./document.ts";

/** The commands that write a result, and the page. */
export type ReportCommands = Readonly<Record<Measurement | "report", string>>;

const IN_CHECKOUT: ReportCommands = {
  verification: "make up",
  compare: "make compare",
  throughput: "make bench-throughput",
  scale: "make bench-services",
  report: "make report",
};

/** The npm package has no Makefile. */
const IN_PACKAGE: ReportCommands = {
  verification: "pulumi up, of a program with a SourceIpVerification",
  compare: "ebpf-dataplane compare",
  throughput: "make bench-throughput, in a checkout of the project",
  scale: "make bench-services, in a checkout of the project",
  report: "ebpf-dataplane report",
};

export const reportCommands = (isCheckout = true): ReportCommands => (isCheckout ? IN_CHECKOUT : IN_PACKAGE);
