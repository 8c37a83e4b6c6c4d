import { type Event, EventKind } from "../../kernel/layout.gen.ts";
import type { Logger } from "../log.ts";
import type { EventFeed } from "./feed.ts";
import { type FlowContext, flowOf } from "./flow.ts";

/** How often it is asked whether a Log rule is in force: ms. */
const LOOK_MS = 1_000;

interface Parts {
  readonly feed: Pick<EventFeed, "listen">;
  readonly context: FlowContext;
  readonly log: Pick<Logger, "info">;
  /** Whether a Log rule is in force. */
  readonly isWanted: () => boolean;
}

/** Writes what Log rules match to the agent's log, while there are any.
 * @returns ends it */
export function logPolicies({ feed, context, log, isWanted }: Parts): () => void {
  let stop: (() => void) | undefined;
  const write = (event: Event) => {
    if (event.kind !== EventKind.LOGGED) return;
    const { protocol, client, to, text, rule } = flowOf(event, context);
    log.info({ policyLog: { protocol, client, to, text, rule } }, `policy log: ${text} (logged by ${rule})`);
  };
  const look = () => {
    if (isWanted()) stop ??= feed.listen(write, { flows: false });
    else if (stop) {
      stop();
      stop = undefined;
    }
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    stop?.();
  };
}
