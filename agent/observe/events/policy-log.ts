import { type Event, EventKind } from "../../kernel/layout.gen.ts";
import type { Logger } from "../log.ts";
import type { EventFeed } from "./feed.ts";
import { type FlowContext, flowOf } from "./flow.ts";
import { whileWanted } from "./while-wanted.ts";

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
  const write = (event: Event) => {
    if (event.kind !== EventKind.LOGGED) return;
    const { protocol, client, to, text, rule } = flowOf(event, context);
    log.info({ policyLog: { protocol, client, to, text, rule } }, `policy log: ${text} (logged by ${rule})`);
  };
  return whileWanted(isWanted, () => feed.listen(write, { flows: false }));
}
