// An API server for agents of machines without Kubernetes: it keeps any objects, with versions and watches, and checks nothing. Runs by
// itself: `node object-server.ts PORT`, with a certificate of its own. Each line of its input is an object to be kept, or {"remove": object}.
import { execFileSync } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { createInterface } from "node:readline";
import { kinds } from "../../../model/objects/kinds.ts";

interface Kept {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string };
  [field: string]: unknown;
}

const plurals = new Map<string, string>(
  [...Object.values(kinds), { kind: "Lease", group: "coordination.k8s.io", plural: "leases" }].map(
    ({ group, kind, plural }) => [`${group}/${kind}`, `${group}/${plural}`],
  ),
);
const objects = new Map<string, Kept>();
/** Every change: where, and the event of a watch. */
const changes: { version: number; resource: string; line: string }[] = [];
const watches = new Set<{ resource: string; response: ServerResponse }>();
let version = 0;

/** What a path names: "/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL/NAME/status". */
function placeOf(url: string) {
  const { pathname, searchParams } = new URL(url, "http://server");
  const [, root, ...rest] = pathname.split("/");
  const group = root === "api" ? "" : (rest.shift() ?? "");
  const path = rest.slice(1);
  const [namespace, plural = "", name] = path[0] === "namespaces" && path.length > 2 ? path.slice(1) : ["", ...path];
  return { resource: `${group}/${plural}`, namespace, name, searchParams };
}

const keyOf = (resource: string, namespace = "", name = "") => `${resource} ${namespace}/${name}`;

function change(type: "ADDED" | "MODIFIED" | "DELETED", resource: string, object: Kept): Kept {
  version++;
  const { name, namespace } = object.metadata;
  const stored = { ...object, metadata: { uid: name, ...object.metadata, resourceVersion: String(version) } };
  const key = keyOf(resource, namespace, name);
  if (type === "DELETED") objects.delete(key);
  else objects.set(key, stored);
  const line = `${JSON.stringify({ type, object: stored })}\n`;
  changes.push({ version, resource, line });
  for (const watch of watches) if (watch.resource === resource) watch.response.write(line);
  return stored;
}

function put(resource: string, object: Kept): Kept {
  const known = objects.has(keyOf(resource, object.metadata.namespace, object.metadata.name));
  return change(known ? "MODIFIED" : "ADDED", resource, object);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { resource, namespace, name, searchParams } = placeOf(request.url ?? "");
  const text = (await request.setEncoding("utf8").toArray()).join("");
  const body = text ? (JSON.parse(text) as Kept) : undefined;
  const say = (status: number, document: unknown) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
  const refuse = (code: number, reason: string) => say(code, { kind: "Status", code, reason, message: reason });
  if (request.method === "GET" && !name) {
    if (searchParams.has("watch")) return watch(resource, Number(searchParams.get("resourceVersion")), response);
    const items = [...objects].filter(([key]) => key.startsWith(`${resource} `)).map(([, object]) => object);
    return say(200, { metadata: { resourceVersion: String(version) }, items });
  }
  const known = objects.get(keyOf(resource, namespace, name ?? body?.metadata.name));
  if (request.method === "POST") {
    if (!body || known) return refuse(409, "AlreadyExists");
    return say(201, put(resource, { ...body, metadata: { ...body.metadata, ...(namespace && { namespace }) } }));
  }
  if (!known) return refuse(404, "NotFound");
  if (request.method === "GET") return say(200, known);
  if (request.method === "DELETE") return say(200, change("DELETED", resource, known));
  if (!body) return refuse(400, "BadRequest");
  if (request.method === "PATCH") return say(200, put(resource, { ...known, ...body, metadata: known.metadata }));
  if (![undefined, known.metadata.resourceVersion].includes(body.metadata.resourceVersion))
    return refuse(409, "Conflict");
  return say(200, put(resource, { ...body, metadata: { ...body.metadata, ...(namespace && { namespace }) } }));
}

function watch(resource: string, since: number, response: ServerResponse): void {
  const entry = { resource, response };
  watches.add(entry);
  response.on("close", () => watches.delete(entry));
  response.writeHead(200).flushHeaders();
  for (const one of changes) if (one.version > since && one.resource === resource) response.write(one.line);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const given = JSON.parse(line) as Kept & { remove?: Kept };
  const object = given.remove ?? given;
  const [group = ""] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : [""];
  const resource = plurals.get(`${group}/${object.kind}`) ?? "";
  if (given.remove) change("DELETED", resource, object);
  else put(resource, object);
});

// Agents send nothing without encryption.
const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
const pem = execFileSync("openssl", [...words, "-subj", "/CN=server", "-keyout", "-"], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "ignore"],
});
createServer({ key: pem, cert: pem }, (request, response) => void answer(request, response)).listen(
  Number(process.argv[2]),
  "0.0.0.0",
  () => console.log("listening"),
);
