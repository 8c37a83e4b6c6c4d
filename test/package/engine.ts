// Replaces Pulumi's engine, to which a component plugin talks while it constructs a component.
import * as grpc from "@grpc/grpc-js";
import engineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineMessages from "@pulumi/pulumi/proto/engine_pb.js";
import resourceServices from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import resourceMessages from "@pulumi/pulumi/proto/resource_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";

/** A registered resource. */
export interface Registered {
  urn: string;
  inputs: Record<string, unknown>;
  /** Reference of a custom resource's provider. */
  provider: string;
}

export interface Engine {
  /** `host:port`, of the engine and of its resource monitor. */
  address: string;
  registered: Registered[];
  /** What the plugin logged for the user, errors only. */
  errors: string[];
  stop(): void;
}

/** Id of every provider that this engine knows. */
export const PROVIDER_ID = "1";

/** Features that plugins check before they send anything but plain values. */
const FEATURES = ["secrets", "resourceReferences", "aliasSpecs", "deletedWith"];

export async function startEngine(project: string, stack: string): Promise<Engine> {
  const registered: Registered[] = [];
  const errors: string[] = [];
  const server = new grpc.Server();
  server.addService(resourceServices.ResourceMonitorService as unknown as grpc.ServiceDefinition, {
    supportsFeature: unary((request) => {
      const response = new resourceMessages.SupportsFeatureResponse();
      response.setHassupport(FEATURES.includes(request.getId()));
      return response;
    }),
    registerResource: unary((request) => {
      const urn = urnOf(project, stack, request.getParent(), request.getType(), request.getName());
      const inputs = request.getObject()?.toJavaScript() ?? {};
      registered.push({ urn, inputs, provider: request.getProvider() });
      const response = new resourceMessages.RegisterResourceResponse();
      response.setUrn(urn);
      if (request.getCustom()) response.setId(request.getName());
      response.setObject(struct.Struct.fromJavaScript(inputs));
      return response;
    }),
    registerResourceOutputs: unary(() => new empty.Empty()),
    // The plugin looks up its caller's provider with this call.
    invoke: unary((request) => {
      if (request.getTok() !== "pulumi:pulumi:getResource") throw new Error(`unexpected call of ${request.getTok()}`);
      const { urn } = request.getArgs().toJavaScript();
      const response = new resourceMessages.ResourceInvokeResponse();
      response.setReturn(struct.Struct.fromJavaScript({ urn, id: PROVIDER_ID, state: {} }));
      return response;
    }),
    registerPackage: unary(() => new resourceMessages.RegisterPackageResponse()),
    signalAndWaitForShutdown: unary(() => new empty.Empty()),
  });
  server.addService(engineServices.EngineService as unknown as grpc.ServiceDefinition, {
    log: unary((request) => {
      if (request.getSeverity() === engineMessages.LogSeverity.ERROR) errors.push(request.getMessage());
      return new empty.Empty();
    }),
    getRootResource: unary(() => new engineMessages.GetRootResourceResponse()),
    setRootResource: unary(() => new engineMessages.SetRootResourceResponse()),
  });
  const port = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, bound: number) => (error ? reject(error) : resolve(bound));
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), done);
  });
  return { address: `127.0.0.1:${port}`, registered, errors, stop: () => server.forceShutdown() };
}

// The messages are generated, and their types have no service without its client.
// biome-ignore lint/suspicious/noExplicitAny: as above
function unary(answer: (request: any) => unknown) {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  return (call: any, callback: any) => {
    try {
      callback(null, answer(call.request));
    } catch (error) {
      callback(error);
    }
  };
}

/** The engine's rule: the types of all ancestors but the stack, then the own one. */
function urnOf(project: string, stack: string, parent: string, type: string, name: string): string {
  const above = parent.split("::")[2];
  const types = above && above !== "pulumi:pulumi:Stack" ? `${above}$${type}` : type;
  return `urn:pulumi:${stack}::${project}::${types}::${name}`;
}
