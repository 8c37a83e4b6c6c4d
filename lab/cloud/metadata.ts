import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { text } from "node:stream/consumers";
import { answerParameter } from "./parameters.ts";
import { authorityFiles, readCloud } from "./place.ts";
import { accessKeyOf, isSigned } from "./signature.ts";
import type { CloudInstance } from "./spec.ts";

/** Address of the instance metadata service, which here also serves the parameters. */
export const metadataAddress = "169.254.169.254";

interface Credentials {
  AccessKeyId: string;
  SecretAccessKey: string;
  Token: string;
}

/** Issued credentials, by instance. */
const given = new Map<string, Credentials>();
const sessions = new Set<string>();

/** Serves the requests of instances to AWS. Runs in the switch's network namespace, and reads the cloud again for each request. */
export function serveMetadata(lab: string): void {
  createServer((request, response) => answer(response, metadata(lab, request))).listen(80, metadataAddress);
  const { key, certificate } = authorityFiles(lab);
  const tls = { key: readFileSync(key), cert: readFileSync(certificate) };
  createTlsServer(tls, async (request, response) => answer(response, await parameterStore(lab, request))).listen(
    443,
    metadataAddress,
  );
}

interface Answer {
  status: number;
  body: string;
}

function answer(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status).end(body);
}

/** Version 2 only: requests without a token from PUT are refused. */
function metadata(lab: string, request: IncomingMessage): Answer {
  const path = request.url ?? "";
  if (request.method === "PUT" && path === "/latest/api/token") {
    const token = randomBytes(24).toString("base64");
    sessions.add(token);
    return { status: 200, body: token };
  }
  if (!sessions.has(String(request.headers["x-aws-ec2-metadata-token"]))) return { status: 401, body: "Unauthorized" };
  const instance = instanceAt(lab, request.socket.remoteAddress);
  const body = instance && answerTo(lab, instance, path.replace("/latest/meta-data/", ""));
  return body === undefined ? { status: 404, body: "Not Found" } : { status: 200, body };
}

function answerTo(lab: string, instance: CloudInstance, path: string): string | undefined {
  const role = instance.role?.name;
  if (path === "placement/region") return readCloud(lab).region;
  if (path === "local-ipv4") return instance.address;
  if (path === "ipv6") return instance.addressIpv6;
  if (path === "iam/security-credentials/") return role;
  if (role && path === `iam/security-credentials/${role}`) return JSON.stringify(credentialsOf(instance), null, 2);
  return undefined;
}

function credentialsOf({ name }: CloudInstance): Credentials {
  const word = (bytes: number) => randomBytes(bytes).toString("hex");
  const known = given.get(name) ?? {
    AccessKeyId: `ASIA${word(8).toUpperCase()}`,
    SecretAccessKey: word(20),
    Token: randomBytes(120).toString("base64"),
  };
  given.set(name, known);
  return known;
}

function instanceAt(lab: string, address = ""): CloudInstance | undefined {
  const plain = address.replace(/^::ffff:/, "");
  return readCloud(lab).instances.find((instance) => instance.address === plain);
}

/** The Systems Manager's parameters, for roles with permission. */
async function parameterStore(lab: string, request: IncomingMessage): Promise<Answer> {
  const body = await text(request);
  const signed = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
  const key = accessKeyOf(signed);
  const [name, credentials] = [...given].find(([, { AccessKeyId }]) => AccessKeyId === key) ?? [];
  const isTrue =
    credentials !== undefined &&
    isSigned(signed, credentials.SecretAccessKey) &&
    request.headers["x-amz-security-token"] === credentials.Token;
  if (!isTrue) return { status: 403, body: '{"__type":"InvalidSignatureException"}' };
  const action = String(request.headers["x-amz-target"]).replace("AmazonSSM.", "ssm:");
  const instance = readCloud(lab).instances.find((one) => one.name === name);
  return answerParameter(lab, instance?.role?.statements ?? [], action, JSON.parse(body));
}
