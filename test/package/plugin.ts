// Starts the package as a component plugin as Pulumi's language host does, and talks to it as the engine does.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import providerServices from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerMessages from "@pulumi/pulumi/proto/provider_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { Engine } from "./engine.ts";

export interface Construction {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** Package to the reference of its provider. */
  providers?: Record<string, string>;
  preview?: boolean;
}

export interface Plugin {
  schema(): Promise<Record<string, unknown>>;
  /** @throws the plugin's own message */
  construct(component: Construction): Promise<{ urn: string; state: Record<string, unknown> }>;
  stop(): void;
}

const PROJECT = "ebpf-dataplane";
const STACK = "local";
/** The first call that needs the schema compiles the package's sources. */
const DEADLINE_SECONDS = 840;

/** @param folder of the installed package, which holds PulumiPlugin.yaml */
export async function startPlugin(folder: string, engine: Engine): Promise<Plugin> {
  const host = join(folder, "..", "@pulumi", "pulumi", "cmd", "run-plugin");
  const child = spawn(process.execPath, [host, folder, engine.address], {
    cwd: folder,
    env: { ...process.env, PULUMI_NODEJS_TYPESCRIPT: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  const port = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("close", (code) =>
      reject(new Error(`the plugin exited with ${code} before it was ready: ${complaint}`)),
    );
  });
  const client = new providerServices.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());

  type Method = (request: unknown, metadata: grpc.Metadata, options: grpc.CallOptions, done: unknown) => void;
  const methods = client as unknown as Record<string, Method>;
  const call = <T>(method: string, request: unknown): Promise<T> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + DEADLINE_SECONDS * 1000;
      const done = (error: grpc.ServiceError | null, answer: T) =>
        error ? reject(new Error(error.details)) : resolve(answer);
      methods[method]?.call(client, request, new grpc.Metadata(), { deadline }, done);
    });

  return {
    async schema() {
      const answer = await call<providerMessages.GetSchemaResponse>(
        "getSchema",
        new providerMessages.GetSchemaRequest(),
      );
      return JSON.parse(answer.getSchema());
    },
    async construct({ type, name, inputs, providers = {}, preview = false }) {
      const request = new providerMessages.ConstructRequest();
      request.setProject(PROJECT);
      request.setStack(STACK);
      request.setParallel(8);
      request.setDryrun(preview);
      request.setMonitorendpoint(engine.address);
      request.setType(type);
      request.setName(name);
      request.setInputs(struct.Struct.fromJavaScript(inputs as never));
      for (const [key, reference] of Object.entries(providers)) request.getProvidersMap().set(key, reference);
      const answer = await call<providerMessages.ConstructResponse>("construct", request);
      return { urn: answer.getUrn(), state: (answer.getState()?.toJavaScript() ?? {}) as Record<string, unknown> };
    },
    stop() {
      client.close();
      child.kill();
    },
  };
}
