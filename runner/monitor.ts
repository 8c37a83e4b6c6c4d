import type * as Pulumi from "@pulumi/pulumi";
import { messageOf } from "./failure.ts";
import type { Operation, Outcome } from "./operation.ts";
import { reveal } from "./secrets.ts";

/** What the SDK passes to the engine about a resource besides its type, name and inputs. */
interface RegisterRequest {
  getParent(): string;
  getCustomtimeouts(): { getCreate(): string } | undefined;
  getAdditionalsecretoutputsList(): string[];
  getPropertydependenciesMap(): Map<string, { getUrnsList(): string[] }>;
}
interface OutputsRequest {
  getUrn(): string;
  getOutputs(): { toJavaScript(): unknown } | undefined;
}
/** The parts of the SDK's mock monitor that are observed. */
interface Monitor {
  newUrn(parent: string, type: string, name: string): string;
  registerResource(request: RegisterRequest, callback: unknown): Promise<void>;
  registerResourceOutputs(request: OutputsRequest, callback: unknown): void;
  invoke(request: unknown, callback: (error: null, response: object) => void): void;
}

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
  where: { project: string; stack: string; preview: boolean },
  register: (operation: Operation) => Promise<Outcome>,
  call: Call,
): Promise<StackOutputs> {
  let request: RegisterRequest | undefined;
  const mocks: Pulumi.runtime.Mocks = {
    newResource: async (args) => {
      if (args.type === STACK_TYPE) return { id: "", state: {} };
      const parent = request?.getParent() ?? "";
      const urn = (sdk.runtime.getMonitor() as unknown as Monitor).newUrn(parent, args.type, args.name);
      const limit = request?.getCustomtimeouts()?.getCreate();
      const secretOutputs = request?.getAdditionalsecretoutputsList() ?? [];
      const { id, state } = await register({
        type: args.type,
        name: args.name,
        urn,
        parent: parent.includes(`::${STACK_TYPE}::`) ? "" : parent,
        inputs: reveal(args.inputs) as Record<string, unknown>,
        references: referencesOf(request),
        provider: args.provider ?? "",
        custom: args.custom ?? false,
        ...(limit && { timeout: milliseconds(limit) }),
      });
      const marked = secretOutputs.filter((key) => key in state).map((key) => [key, sdk.secret(state[key])]);
      return { id, state: { ...state, ...Object.fromEntries(marked) } };
    },
    call: async ({ token, inputs }) => {
      const answer = await call(token, reveal(inputs) as Record<string, unknown>).catch((error: unknown) => {
        // Of an engine's error, the SDK passes on only the details.
        throw Object.assign(new Error(messageOf(error)), { details: messageOf(error) });
      });
      if (answer) return answer;
      const details = `function ${token} cannot be called without the Pulumi CLI`;
      throw Object.assign(new Error(details), { details });
    },
  };
  await sdk.runtime.setMocks(mocks, where.project, where.stack, where.preview);

  const outputs: StackOutputs = { current: {} };
  const monitor = sdk.runtime.getMonitor() as unknown as Monitor;
  const { registerResource, registerResourceOutputs } = monitor;
  // The seam leaves out options. It calls newResource synchronously, so the current request is the resource's.
  monitor.registerResource = (current, callback) => {
    request = current;
    return registerResource.call(monitor, current, callback);
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

function referencesOf(request: RegisterRequest | undefined): Record<string, string[]> {
  const references: Record<string, string[]> = {};
  request?.getPropertydependenciesMap().forEach((from, property) => {
    if (from.getUrnsList().length > 0) references[property] = from.getUrnsList();
  });
  return references;
}

const UNKNOWN = { getUnknown: () => true, getReturn: () => undefined, getFailuresList: () => [] };

/** Durations as Pulumi writes them: "30m", "90s", "1h". */
function milliseconds(duration: string): number {
  const unit = { s: 1000, m: 60_000, h: 3_600_000 };
  return [...duration.matchAll(/(\d+)([smh])/g)].reduce(
    (sum, [, n, u]) => sum + Number(n) * unit[u as "s" | "m" | "h"],
    0,
  );
}
