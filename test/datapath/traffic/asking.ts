// Programs that ask Services again and again, and count what has not come back.
import type { BareCluster } from "../cluster/bare-cluster.ts";
import type { ClientName, NodeName } from "../cluster/objects.ts";
import type { Placed } from "../cluster/placed.ts";
import { compiled } from "./compiled.ts";
import { inPod } from "./holding.ts";

export interface Counted {
  /** Sockets that asked once, and how each ended: `unanswered` after half a minute. */
  readonly asked: number;
  readonly answered: number;
  readonly refused: number;
  readonly unansweredTcp: number;
  readonly unansweredUdp: number;
  /** Datagrams of the sockets that are kept. */
  readonly keptAsked: number;
  readonly keptAnswered: number;
}

export class Asking {
  readonly #child: ReturnType<BareCluster["spawn"]>;
  #counted: Counted | undefined;
  /** What was refused, line by line. */
  said = "";

  private constructor(child: ReturnType<BareCluster["spawn"]>) {
    this.#child = child;
    let rest = "";
    child.stdout?.on("data", (text: Buffer) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      const line = lines.at(-1);
      if (line) this.#counted = JSON.parse(line) as Counted;
    });
    child.stderr?.on("data", (text: Buffer) => {
      this.said = (this.said + text).slice(0, 3000);
    });
  }

  /** @param rate sockets a second @param places "tcp:10.96.0.10:80", "udp:[fd00::1]:80" */
  static async begin(
    cluster: BareCluster,
    from: ClientName | NodeName | Placed,
    rate: number,
    places: readonly string[],
  ) {
    const argv = [await compiled("asking"), `${rate}`, ...places];
    if (typeof from === "string") return new Asking(cluster.spawn(from, argv, "pipe"));
    return new Asking(cluster.spawn(from.node, inPod(from, argv), "pipe"));
  }

  get counted(): Counted | undefined {
    return this.#counted;
  }

  /** Asks no more; what is asked may still be answered. */
  ends(): void {
    this.#child.stdin?.end();
  }

  /** Whether each socket that asked once has come to its end. */
  get isOver(): boolean {
    const { asked, answered, refused, unansweredTcp, unansweredUdp } = this.#counted ?? ({} as Counted);
    return asked === answered + refused + unansweredTcp + unansweredUdp;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
