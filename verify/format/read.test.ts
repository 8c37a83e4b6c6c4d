import { describe, expect, it } from "vitest";
import { readChecks } from "./read.ts";

/** The problems of a check, one per line, as the user sees them. */
function problems(text: string): string {
  try {
    readChecks(text, "x.check.yaml");
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

/** A check with one expectation, changed by a line. */
function withLine(line: string): string {
  return `name: n
steps:
  - expect:
      - from: client1
        to: tcp://172.31.1.8:30604
        verdict: allowed
${line}`;
}

describe("readChecks", () => {
  it("reads the documented form and fills in the defaults", () => {
    const [check] = readChecks(withLine("        source: {anyOf: [client1, node/master, pod/a/b, 10.0.0.1]}"), "f");
    expect(check).toMatchObject({ name: "n", setup: [], steps: [{ apply: [], delete: [], within: 15 }] });
    expect(check?.steps[0]?.expect[0]).toMatchObject({ count: 1, verdict: "allowed" });
  });

  it("reads distinct as its short forms, and http with its defaults", () => {
    const read = (line: string) =>
      readChecks(withLine(`        count: 9\n        ${line}`), "f")[0]?.steps[0]?.expect[0];
    expect(read("distinct: {atLeast: 2, atMost: 3}")).toMatchObject({ spread: 2, spreadAtMost: 3 });
    expect(read("http: {}")).toMatchObject({ http: { path: "/", status: 200 } });
    expect(read("http: {path: /healthz, status: 503}")).toMatchObject({ http: { path: "/healthz", status: 503 } });
  });

  it("reads ports to listen on as text or number", () => {
    const [check] = readChecks(
      withLine('listen: [{at: client1, tcp: "8080, 8081", udp: 8080}, {at: node/a, udp: "53"}]'),
      "f",
    );
    expect(check?.listen).toEqual([
      { at: { text: "client1", value: { kind: "machine", name: "client1" } }, tcp: [8080, 8081], udp: [8080] },
      { at: { text: "node/a", value: { kind: "node", name: "a" } }, udp: [53] },
    ]);
  });

  it("names a port that is kept open and bound anew", () => {
    const row = '{from: client1, to: "tcp://a:80", verdict: allowed, sourcePort: 40001';
    const text = `name: n\nsteps:\n  - expect: [${row}, keep: true}]\n  - expect: [${row}}]`;
    expect(problems(text)).toMatch(
      /steps\[1\]\.expect\[0\]\.sourcePort: is kept open by steps\[0\]\.expect\[0\]; allowed: another port, or keep: true here too$/,
    );
  });

  it("merges what an anchor names, as kubectl does", () => {
    const objects = "[&a {apiVersion: v1, kind: A, metadata: {name: a}}, {<<: *a, metadata: {name: b}}]";
    const [check] = readChecks(`name: n\nsetup: ${objects}\nsteps: [{expect: []}]`, "f");
    expect(check?.setup[1]).toEqual({ apiVersion: "v1", kind: "A", metadata: { name: "b" } });
  });

  it("reads JSON and several documents", () => {
    const json = JSON.stringify({ name: "a", steps: [{ expect: [] }] });
    expect(readChecks(json, "f")).toHaveLength(1);
    expect(readChecks(`${json}\n---\n${json}\n`, "f")).toHaveLength(2);
  });

  it.each([
    [
      "        keep: true",
      "keep: needs sourcePort, by which later steps find the socket again; allowed: absent, or true beside sourcePort",
    ],
    ['        keep: "yes"', "keep: must be true or false"],
    [
      "      - {from: a, to: icmp://b, verdict: dropped, icmp: {type: 17}}",
      "icmp.type: 17 has no answer that could be judged; allowed: a query that hosts answer: 8, 13, 128",
    ],
    ["        verdit: allowed", 'unknown key "verdit"; did you mean "verdict"?'],
    [
      "    witin: 3",
      'x.check.yaml:3:5: steps[0]: unknown key "witin"; did you mean "within"? (allowed: name, apply, delete, expect, within)',
    ],
    ["extra: 1", 'unknown key "extra" (allowed: name, listen, setup, steps)'],
    ["listen: client1", "listen: must be a list of {at, tcp, udp}"],
    ["listen: [{at: pod/a/b, tcp: 80}]", 'listen[0].at: "pod/a/b" is not a place to listen at; allowed: a machine'],
    ["listen: [{at: client1}]", "listen[0]: has no port; allowed: tcp, udp or both"],
    [
      'listen: [{at: client1, tcp: "80,99999"}]',
      'listen[0].tcp: "80,99999" is not a list of ports; allowed: ports from 1',
    ],
    ["listen: [{at: client1, tcp: true}]", 'listen[0].tcp: must be ports, like "8080" or "8080,8081"'],
    [
      "listen: [{at: a, tcp: 80}, {at: a, udp: 80, tcp: 80}]",
      "listen[1].tcp: port 80 of a is listened on already; allowed: another port",
    ],
    ["        icmp: {type: 8, code: 0}", "steps[0].expect[0].icmp: to is tcp://; allowed: absent unless to is icmp://"],
    ["        icmp: {type: 300}", "icmp.type: must be a whole number from 0 to 255, not 300"],
    ["        size: 0", "size: must be a whole number from 1 to 100000000, not 0"],
    ["        count: 0", "x.check.yaml:7:16: steps[0].expect[0].count: must be a whole number from 1 to 1000, not 0"],
    ["        source: 1.2.3", 'steps[0].expect[0].source: "1.2.3" is not a source; allowed: an address, a machine'],
    ["        source: {anyOf: []}", "must name at least one source"],
    ["        source: {anyOf: [pod/x]}", '"pod/x" is not a source'],
    ["        servers: [web]", '"web" names no namespace'],
    ["        sourcePort: 70000", "sourcePort: must be a whole number from 1 to 65535, not 70000"],
    ["        spread: 2", "2 servers cannot answer 1 attempts"],
    ["        spreadAtMost: 1", "1 attempts always keep to it; allowed: less than count, which is 1"],
    ["        distinct: 2", "distinct: must be an object with atLeast, atMost, not 2"],
    ["        distinct: {}", "distinct: has no limit; allowed: atLeast, atMost or both"],
    [
      "        distinct: {atleast: 2}",
      'distinct: unknown key "atleast"; did you mean "atLeast"? (allowed: atLeast, atMost)',
    ],
    [
      "        distinct: {atLeast: 2}",
      "x.check.yaml:7:29: steps[0].expect[0].distinct.atLeast: 2 servers cannot answer 1 attempts; allowed: at most count, which is 1",
    ],
    [
      "        http: {path: a}",
      'steps[0].expect[0].http.path: "a" is not a path; allowed: a path that begins with "/"',
    ],
    ['        http: {path: "/a\\r\\nHost: b"}', "is not a path"],
    ["        http: {status: 99}", "http.status: must be a whole number from 100 to 599, not 99"],
    ["        family: IPv5", 'family: must be IPv4 | IPv6, not "IPv5"'],
    ["        family: IPv6", "family: 172.31.1.8 in to is an IPv4 address; allowed: IPv4, or a host that is a name"],
    ["        reply: diract", 'must be direct | viaEntryNode, not "diract"; did you mean "direct"?'],
    ["    within: 0", "within: must be more than 0 seconds, not 0"],
    ["    delete: [{kind: Pod, apiVersion: v1}]", "steps[0].delete[0].metadata"],
    [
      "    apply: [{kind: Pod, metadata: {name: a}}]",
      "steps[0].apply[0].apiVersion: must be a group and version, like apps/v1 (it is missing)",
    ],
  ])("refuses %s", (line, message) => expect(problems(withLine(line))).toContain(message));

  it("says what is wrong with a file that is no check at all", () => {
    expect(problems("")).toContain("is empty");
    expect(problems("a: [")).toContain("x.check.yaml: ");
    expect(problems("[]")).toContain("must be an object with name, listen, setup, steps");
    expect(problems("name: a\nsteps: []")).toContain("must hold at least one step");
    expect(problems("name: a")).toContain("steps: must be a list of steps (it is missing)");
  });
});
