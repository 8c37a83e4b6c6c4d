// Every word of a check file, misspelt and with a value of another kind: the message names the field and what is allowed.
import { describe, expect, it } from "vitest";
import { readChecks } from "./read.ts";

/** A check with a second expectation, or with words at its top. */
const expecting = (words: string) => `name: n
steps:
  - expect:
      - {from: client1, to: "tcp://172.31.1.8:80", verdict: allowed}
      - {from: client1, verdict: allowed, ${words}}`;
const beginning = (words: string) => `${words}\nname: n\nsteps: [{expect: []}]`;

function problemsOf(text: string): string[] {
  try {
    readChecks(text, "f");
  } catch (error) {
    return (error as Error).message.split("\n").map((line) => line.replace(/^f(:\d+:\d+)?: /, ""));
  }
  return [];
}

const TCP = 'to: "tcp://a:80"';
const ROW = "steps[0].expect[1]";
const FORMS = "tcp://HOST:PORT, udp://HOST:PORT, sctp://HOST:PORT or icmp://HOST";

describe("a word of an expectation", () => {
  it.each([
    ["sourceport: 40001", "sourcePort"],
    ["keeep: true", "keep"],
    ["familly: IPv4", "family"],
    ["szie: 100", "size"],
    ["htpp: {}", "http"],
    ["distnct: {atLeast: 1}", "distinct"],
    ["icpm: {}", "icmp"],
  ])("that is misspelt (%s) is named with the right one", (words, meant) => {
    const misspelt = words.split(":")[0];
    const [first, ...others] = problemsOf(expecting(`${TCP}, ${words}`));
    expect(others).toEqual([]);
    expect(first).toContain(`${ROW}: unknown key "${misspelt}"; did you mean "${meant}"? (allowed: from, to, `);
  });

  it.each([
    [`${TCP}, http: {pth: /}`, `${ROW}.http: unknown key "pth"; did you mean "path"? (allowed: path, status)`],
    [
      `${TCP}, distinct: {atLeast: 1, atmost: 1}`,
      `${ROW}.distinct: unknown key "atmost"; did you mean "atMost"? (allowed: atLeast, atMost)`,
    ],
    ["to: icmp://a, icmp: {typ: 8}", `${ROW}.icmp: unknown key "typ"; did you mean "type"? (allowed: type, code)`],
    [`${TCP}, sourcePort: "40001"`, `${ROW}.sourcePort: must be a whole number from 1 to 65535, not "40001"`],
    [`${TCP}, sourcePort: 4, keep: 1`, `${ROW}.keep: must be true or false, not 1`],
    [`${TCP}, size: big`, `${ROW}.size: must be a whole number from 1 to 100000000, not "big"`],
    [`${TCP}, size: 1.5`, `${ROW}.size: must be a whole number from 1 to 100000000, not 1.5`],
    [`${TCP}, http: 200`, `${ROW}.http: must be an object with path, status, not 200`],
    [`${TCP}, http: {status: ok}`, `${ROW}.http.status: must be a whole number from 100 to 599, not "ok"`],
    [`${TCP}, http: {path: 3}`, `${ROW}.http.path: must be a path, not 3`],
    [`${TCP}, family: 4`, `${ROW}.family: must be IPv4 | IPv6, not 4`],
    [`${TCP}, family: ipv4`, `${ROW}.family: must be IPv4 | IPv6, not "ipv4"; did you mean "IPv4"?`],
    [`${TCP}, distinct: {atMost: many}`, `${ROW}.distinct.atMost: must be a whole number from 1 to 1000, not "many"`],
    ["to: icmp://a, icmp: echo", `${ROW}.icmp: must be an object with type, code, not "echo"`],
    ["to: icmp://a, icmp: {code: x}", `${ROW}.icmp.code: must be a whole number from 0 to 255, not "x"`],
    ["to: 3", `${ROW}.to: must be ${FORMS}, not 3`],
    ["to: icpm://a", `${ROW}.to: "icpm://a" does not start with a protocol; allowed: ${FORMS}`],
    ['to: "stcp://a:1"', `${ROW}.to: "stcp://a:1" does not start with a protocol; allowed: ${FORMS}`],
    ['to: "icmp://a:80"', `${ROW}.to: "icmp://a:80" ends with a port, which ICMP does not have; allowed: icmp://HOST`],
    [
      "to: sctp://a",
      `${ROW}.to: "sctp://a" does not end with a port; allowed: sctp://HOST:PORT with a port from 1 to 65535`,
    ],
  ])("%s is refused", (words, message) => expect(problemsOf(expecting(words))).toEqual([message]));

  it.each([
    ['to: "sctp://a:1", keep: true, sourcePort: 4', "keep: to is sctp://, for which no socket can be kept"],
    ['to: "sctp://a:1", size: 4', "size: is not sent over SCTP"],
    ['to: "sctp://a:1", http: {}', "http: needs TCP, and to is sctp://"],
    ['to: "udp://a:1", http: {}', "http: needs TCP, and to is udp://"],
    ['to: "udp://a:1", size: 65001', "size: 65001 bytes are too many over udp; allowed: at most 65000"],
    [`${TCP}, http: {}, size: 4`, "size: cannot be sent beside an HTTP request"],
    [`${TCP}, keep: true, sourcePort: 4, size: 4`, "size: ends the connection when everything is sent"],
    [`${TCP}, count: 3, distinct: {atLeast: 2}, spread: 2`, "spread: is the short form of what distinct says"],
    [`${TCP}, count: 3, distinct: {atLeast: 2, atMost: 1}`, "distinct.atMost: is less than atLeast, which is 2"],
    ['to: "icmp://[::1]", family: IPv4', "family: ::1 in to is an IPv6 address"],
    ...["source: b", "sourcePort: 4", "servers: [a/b]", "reply: direct"].map((words) => [
      `to: icmp://a, ${words}`,
      `${words.split(":")[0]}: says nothing about ICMP`,
    ]),
  ])("%s is refused beside the others", (words = "", message) => {
    const found = problemsOf(expecting(words));
    expect(found.join("\n")).toContain(`${ROW}.${message}`);
    expect(found).toHaveLength(1);
  });
});

describe("listen", () => {
  it.each([
    ["listn: []", 'unknown key "listn"; did you mean "listen"? (allowed: name, listen, setup, steps)'],
    ["listen: {at: a, tcp: 80}", 'listen: must be a list of {at, tcp, udp}, not {"at":"a","tcp":80}'],
    ["listen: [client1]", 'listen[0]: must be an object with at, tcp, udp, not "client1"'],
    ["listen: [{tcp: 80}]", "listen[0].at: must be a machine or node/NAME (it is missing)"],
    ["listen: [{at: 3, tcp: 80}]", "listen[0].at: must be a machine or node/NAME, not 3"],
    ["listen: [{at: a, tcp: [80]}]", 'listen[0].tcp: must be ports, like "8080" or "8080,8081", not [80]'],
    ["listen: [{at: a}]", "listen[0]: has no port; allowed: tcp, udp or both"],
    [
      "listen: [{at: a, tpc: 80, udp: 80}]",
      'listen[0]: unknown key "tpc"; did you mean "tcp"? (allowed: at, tcp, udp)',
    ],
  ])("%s is refused", (words, message) => expect(problemsOf(beginning(words))).toEqual([message]));

  it("with one misspelt protocol names that first", () => {
    expect(problemsOf(beginning("listen: [{at: a, tpc: 80}]"))).toEqual([
      'listen[0]: unknown key "tpc"; did you mean "tcp"? (allowed: at, tcp, udp)',
      "listen[0]: has no port; allowed: tcp, udp or both",
    ]);
  });
});
