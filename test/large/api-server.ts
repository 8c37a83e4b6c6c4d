// The part of an API server that an agent uses: lists in pages, watches, creation. `node api-server.ts PORT`; standard input:
// one JSON line a step, {"put": [object …], "remove": [object …]}, each answered by "done" once its events are written.
import { createServer, type ServerResponse } from "node:http";
import { createInterface } from "node:readline";
import { kinds } from "../../agent/watch/kinds.ts";
import { kindNames, resourcePath } from "../../model/objects/kinds.ts";

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}
export interface ApiStep {
  readonly put?: readonly ApiObject[];
  readonly remove?: readonly ApiObject[];
}

const all = kindNames.map((name) => kinds[name]);
const stored = new Map<string, Map<string, ApiObject>>(all.map((kind) => [resourcePath(kind), new Map()]));
const watchers = new Map<string, Set<ServerResponse>>();
let version = 1;

function pathOf({ apiVersion, kind }: ApiObject): string {
  const found = all.find((item) => item.apiVersion === apiVersion && item.kind === kind);
  if (!found) throw new Error(`no agent watches ${apiVersion} ${kind}`);
  return resourcePath(found);
}

function send(path: string, type: string, object: ApiObject): void {
  const metadata = { ...object.metadata, resourceVersion: String(++version) };
  const line = `${JSON.stringify({ type, object: { ...object, metadata } })}\n`;
  for (const response of watchers.get(path) ?? []) response.write(line);
}

function put(object: ApiObject): void {
  const path = pathOf(object);
  stored.get(path)?.set(idOf(object), object);
  send(path, "MODIFIED", object);
}

function remove(object: ApiObject): void {
  const path = pathOf(object);
  stored.get(path)?.delete(idOf(object));
  send(path, "DELETED", object);
}

function idOf({ metadata }: ApiObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "", "http://api");
  if (request.method === "POST") {
    let text = "";
    request.on("data", (more) => {
      text += more;
    });
    request.on("end", () => {
      const object = JSON.parse(text) as ApiObject;
      if (object.kind !== "Event") put(object);
      response.writeHead(201).end("{}");
    });
    return;
  }
  const objects = stored.get(url.pathname);
  if (!objects) return void response.writeHead(404).end("{}");
  if (url.searchParams.get("watch") === "true") {
    const group = watchers.get(url.pathname) ?? new Set();
    watchers.set(url.pathname, group.add(response));
    request.on("close", () => group.delete(response));
    return void response.writeHead(200).flushHeaders();
  }
  const first = Number(url.searchParams.get("continue") ?? 0);
  const end = first + Number(url.searchParams.get("limit") ?? objects.size);
  const items = [...objects.values()].slice(first, end);
  const more = end < objects.size ? String(end) : "";
  response.end(JSON.stringify({ metadata: { resourceVersion: String(version), continue: more }, items }));
});

if (process.argv[2]) {
  server.listen(Number(process.argv[2]), "127.0.0.1", () => process.stdout.write("listening\n"));
  createInterface({ input: process.stdin }).on("line", (line) => {
    const step = JSON.parse(line) as ApiStep;
    for (const object of step.put ?? []) put(object);
    for (const object of step.remove ?? []) remove(object);
    process.stdout.write("done\n");
  });
}
