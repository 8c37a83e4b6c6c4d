import type { EventFeed } from "./feed.ts";
import { FlowHistory } from "./flow-history.ts";
import { type NamingParts, namedFlow } from "./named-flow.ts";
import { whileWanted } from "./while-wanted.ts";

interface Parts extends NamingParts {
  readonly feed: Pick<EventFeed, "listen">;
  /** Whether the cluster's configuration asks for a history. */
  readonly isWanted: () => boolean;
}

/** Keeps the latest flows while they are wanted. */
export function keepHistory({ feed, isWanted, ...parts }: Parts): {
  history: () => FlowHistory | undefined;
  end: () => void;
} {
  let history: FlowHistory | undefined;
  const end = whileWanted(isWanted, () => {
    const kept = new FlowHistory(Date.now());
    const stop = feed.listen(
      (event) => {
        const named = namedFlow(event, { refused: false }, parts);
        if (named) kept.keep(named.flow, named.policyNames);
      },
      { flows: true },
    );
    history = kept;
    return () => {
      stop();
      history = undefined;
    };
  });
  return { history: () => history, end };
}
