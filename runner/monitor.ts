import type * as Pulumi from "@pulumi/pulumi";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb";
import type { ReadResourceRequest, RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { messageOf } from "./failure.ts";
import type { Operation, Outcome } from "./operation.ts";
import { type OptionsRequest, optionsOf } from "./options.ts";
import { reveal } from "./secrets.ts";
import { type Protocol, Transforms } from "./transforms.ts";
import { type Frame, pathOf } from "./where.ts";

interface OutputsRequest {
  getUrn(): string;
  getOutputs(): { toJavaScript(): unknown } | undefined;
}
/** The parts of the SDK's mock monitor that are observed. */
interface Monitor {
  newUrn(parent: string, type: string, name: string): string;
  registerResource(request: RegisterResourceRequest, callback: Answer): Promise<void>;
  registerResourceOutputs(request: OutputsRequest, callback: unknown): void;
  readResource(request: ReadResourceRequest, callback: Answer): void;
  registerStackTransform(request: Callback, callback: Answer): void;
  registerStackInvokeTransform(request: Callback, callback: Answer): void;
  registerResourceHook(request: unknown, ...answers: (object | Answer)[]): void;
  registerErrorHook(request: unknown, ...answers: (object | Answer)[]): void;
  invoke(request: unknown, callback: Answer): void;
}
type Answer = (error: Error | null, response?: object) => void;

/** Outputs of the stack, secrets still marked. */
export interface StackOutputs {
  current: Record<string, unknown>;
}

/** Answers a function of a provider; undefined: it cannot be answered here. */
export type Call = (token: string, inputs: Record<string, unknown>) => Promise<Record<string, unknown> | undefined>;

const STACK_TYPE = "pulumi:pulumi:Stack";

/**
 * Replaces the engine through the SDK's test seam (`setMocks`): every resource that the program registers is passed
 * to `register`, after everything it depends on; the return value becomes its outputs.
 */
export async function attachMonitor(
  sdk: typeof Pulumi,
  protocol: Protocol,
  where: { project: string; stack: string; preview: boolean },
  register: (operation: Operation, declaredAt: readonly Frame[]) => Promise<Outcome>,
  call: Call,
): Promise<StackOutputs> {
  let request: RegisterResourceRequest | undefined;
  const mocks: Pulumi.runtime.Mocks = {
    newResource: async (args) => {
      if (args.type === STACK_TYPE) return { id: "", state: {} };
      const parent = request?.getParent() ?? "";
      const urn = (sdk.runtime.getMonitor() as unknown as Monitor).newUrn(parent, args.type, args.name);
      const secretOutputs = request?.getAdditionalsecretoutputsList() ?? [];
      const operation: Operation = {
        type: args.type,
        name: args.name,
        urn,
        parent: parent.includes(`::${STACK_TYPE}::`) ? "" : parent,
        inputs: reveal(args.inputs) as Record<string, unknown>,
        references: referencesOf(request),
        provider: args.provider ?? "",
        custom: args.custom ?? false,
        ...(request && optionsOf(request as OptionsRequest)),
      };
      const { id, state } = await register(operation, declaredAt(request));
      const marked = secretOutputs.filter((key) => key in state).map((key) => [key, sdk.secret(state[key])]);
      return { id, state: { ...state, ...Object.fromEntries(marked) } };
    },
    call: async ({ token, inputs }) => {
      const answer = await call(token, reveal(inputs) as Record<string, unknown>).catch((error: unknown) => {
        throw refusal(messageOf(error));
      });
      if (answer) return answer;
      throw refusal(`function ${token} cannot be called without the Pulumi CLI`);
    },
  };
  await sdk.runtime.setMocks(mocks, where.project, where.stack, where.preview);

  const outputs: StackOutputs = { current: {} };
  const monitor = sdk.runtime.getMonitor() as unknown as Monitor;
  const { registerResource, registerResourceOutputs } = monitor;
  const transforms = new Transforms(protocol);
  const retained = new Set<string>();
  monitor.registerResource = async (current, callback) => {
    const parent = current.getParent();
    if (!current.hasRetainondelete() && retained.has(parent)) current.setRetainondelete(true);
    try {
      await transforms.apply(current);
    } catch (error) {
      return callback(refusal(messageOf(error)));
    }
    const urn = monitor.newUrn(parent, current.getType(), current.getName());
    transforms.passOn(urn, current);
    if (current.getRetainondelete()) retained.add(urn);
    // The seam leaves out options. It calls newResource synchronously, so the current request is the resource's.
    request = current;
    return registerResource.call(monitor, current, callback);
  };
  monitor.registerStackTransform = (callback, answer) => {
    transforms.addToStack(callback);
    answer(null, {});
  };
  monitor.registerStackInvokeTransform = () => {
    throw new Error("transforms of a provider's functions cannot be applied without the Pulumi CLI");
  };
  // `up` refuses resources that have hooks.
  const accepted: Monitor["registerResourceHook"] = (_, ...answers) => (answers.at(-1) as Answer)(null, {});
  Object.assign(monitor, { registerResourceHook: accepted, registerErrorHook: accepted });
  monitor.readResource = (read, answer) => {
    if (!where.preview) return answer(refusal("an existing resource cannot be read without the Pulumi CLI"));
    const unknown = new protocol.resources.ReadResourceResponse();
    unknown.setUrn(monitor.newUrn(read.getParent(), read.getType(), read.getName()));
    answer(null, unknown);
  };
  monitor.registerResourceOutputs = (current, callback) => {
    if (current.getUrn().includes(`::${STACK_TYPE}::`)) {
      outputs.current = (current.getOutputs()?.toJavaScript() ?? {}) as Record<string, unknown>;
    }
    registerResourceOutputs.call(monitor, current, callback);
  };
  // The result of a provider's function is not known in a preview.
  if (where.preview) monitor.invoke = (_, answer) => answer(null, UNKNOWN);
  return outputs;
}

/** The places where the program declares the resource, the innermost frame first. Older SDKs do not send them. */
function declaredAt(request: RegisterResourceRequest | undefined): Frame[] {
  return (request?.getStacktrace?.()?.getFramesList() ?? []).flatMap((frame) => {
    const [position, file] = [frame.getPc(), pathOf(frame.getPc()?.getUri() ?? "")];
    return position && file !== undefined ? [{ file, line: position.getLine(), column: position.getColumn() }] : [];
  });
}

function referencesOf(request: RegisterResourceRequest | undefined): Record<string, string[]> {
  const references: Record<string, string[]> = {};
  request?.getPropertydependenciesMap().forEach((from, property) => {
    if (from.getUrnsList().length > 0) references[property] = from.getUrnsList();
  });
  return references;
}

const UNKNOWN = { getUnknown: () => true, getReturn: () => undefined, getFailuresList: () => [] };

/** Of an engine's error, the SDK passes on only the details of some calls, and the message of others. */
function refusal(details: string): Error {
  return Object.assign(new Error(details), { details });
}
