// Transforms of resources, called as the engine calls them: by the protocol of the server that the SDK runs for them.
import { createRequire } from "node:module";
import type { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb";
import type { RegisterResourceRequest, TransformResourceOptions } from "@pulumi/pulumi/proto/resource_pb";

/** Pulumi's protocol, of the SDK that the program imports. */
export interface Protocol {
  callbacks: typeof import("@pulumi/pulumi/proto/callback_pb");
  services: typeof import("@pulumi/pulumi/proto/callback_grpc_pb");
  resources: typeof import("@pulumi/pulumi/proto/resource_pb");
  grpc: typeof import("@grpc/grpc-js");
}

/** @param require the program's */
export function protocolOf(require: NodeJS.Require): Protocol {
  const ofSdk = createRequire(require.resolve("@pulumi/pulumi"));
  return {
    callbacks: ofSdk("@pulumi/pulumi/proto/callback_pb"),
    services: ofSdk("@pulumi/pulumi/proto/callback_grpc_pb"),
    resources: ofSdk("@pulumi/pulumi/proto/resource_pb"),
    grpc: ofSdk("@grpc/grpc-js"),
  };
}

/** The options that a transform sees: their names in a request, and there. */
const OPTIONS: [request: string, transform: string][] = [
  ["DependenciesList", "DependsOnList"],
  ["Protect", "Protect"],
  ["IgnorechangesList", "IgnoreChangesList"],
  ["ReplaceonchangesList", "ReplaceOnChangesList"],
  ["Version", "Version"],
  ["AliasesList", "AliasesList"],
  ["Provider", "Provider"],
  ["Customtimeouts", "CustomTimeouts"],
  ["Plugindownloadurl", "PluginDownloadUrl"],
  ["Retainondelete", "RetainOnDelete"],
  ["Deletedwith", "DeletedWith"],
  ["Deletebeforereplace", "DeleteBeforeReplace"],
  ["AdditionalsecretoutputsList", "AdditionalSecretOutputsList"],
  ["Hooks", "Hooks"],
  ["Importid", "Import"],
  ["ReplaceWithList", "ReplaceWithList"],
  ["ReplacementTrigger", "ReplacementTrigger"],
];

/** A message of the protocol, by the names of its accessors. */
type Message = Record<string, (value?: unknown) => unknown>;

function copied(from: object, of: string, to: object, as: string): void {
  const [source, target] = [from as Message, to as Message];
  if (source[`has${of}`]?.() === false) return;
  target[`set${as}`]?.(source[`get${of}`]?.());
}

/** The transforms of a program: of the stack, of its components and of single resources. */
export class Transforms {
  readonly #protocol: Protocol;
  readonly #ofStack: Callback[] = [];
  /** By URN: the transforms of a resource and of all its parents, the nearest first. */
  readonly #inherited = new Map<string, Callback[]>();

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  addToStack(callback: Callback): void {
    this.#ofStack.push(callback);
  }

  /** Changes a request with the program's transforms: the resource's own first, then its parents', then the stack's. */
  async apply(request: RegisterResourceRequest): Promise<void> {
    const near = this.#of(request);
    for (const callback of [...near, ...this.#ofStack]) await this.#transform(request, callback);
  }

  /** Children of this resource inherit its transforms. */
  passOn(urn: string, request: RegisterResourceRequest): void {
    this.#inherited.set(urn, this.#of(request));
  }

  #of(request: RegisterResourceRequest): Callback[] {
    return [...request.getTransformsList(), ...(this.#inherited.get(request.getParent()) ?? [])];
  }

  async #transform(request: RegisterResourceRequest, callback: Callback): Promise<void> {
    const { resources } = this.#protocol;
    const asked = new resources.TransformRequest();
    asked.setType(request.getType());
    asked.setName(request.getName());
    asked.setCustom(request.getCustom());
    asked.setParent(request.getParent());
    asked.setProperties(request.getObject());
    const options = new resources.TransformResourceOptions();
    for (const [name, inTransform] of OPTIONS) copied(request, name, options, inTransform);
    for (const [name, reference] of request.getProvidersMap().entries()) options.getProvidersMap().set(name, reference);
    asked.setOptions(options);
    const bytes = await this.#call(callback, asked.serializeBinary());
    const answer = resources.TransformResponse.deserializeBinary(bytes);
    request.setObject(answer.getProperties());
    const changed: TransformResourceOptions | undefined = answer.getOptions();
    if (changed) for (const [name, inTransform] of OPTIONS) copied(changed, inTransform, request, name);
  }

  async #call(callback: Callback, request: Uint8Array): Promise<Uint8Array> {
    const { callbacks, services, grpc } = this.#protocol;
    const client: CallbacksClient = new services.CallbacksClient(
      callback.getTarget(),
      grpc.credentials.createInsecure(),
    );
    try {
      const invoke = new callbacks.CallbackInvokeRequest();
      invoke.setToken(callback.getToken());
      invoke.setRequest(request);
      return await new Promise((resolve, reject) => {
        client.invoke(invoke, (error, answer) =>
          error ? reject(new Error(error.details)) : resolve(answer.getResponse_asU8()),
        );
      });
    } finally {
      client.close();
    }
  }
}
