// Gives a client machine an address of another network than the nodes': specs of source addresses take everything that is in a node's /16
// for a node, and the lab's clients are.

/** Of the network for benchmarks (RFC 2544), which nobody routes. */
const ADDRESS = "198.18.0.1";
const TABLE = "1981";

interface Route {
  dst: string;
  gateway?: string;
  dev: string;
}

/** Runs a program on a machine of the lab. @returns its standard output */
export type OnMachine = (machine: string, command: string[]) => Promise<string>;

/**
 * @param client the machine, and its own IPv4 address
 * @param others machines that answer it
 * @returns undoes it
 */
export async function inOtherNetwork(
  on: OnMachine,
  client: { name: string; address: string },
  others: string[],
): Promise<() => Promise<void>> {
  const ip = (machine: string, ...words: string[]) => on(machine, ["ip", ...words]);
  const undo = async () => {
    for (const machine of others) await ip(machine, "route", "del", ADDRESS).catch(ignored);
    await ip(client.name, "rule", "del", "table", TABLE).catch(ignored);
    await ip(client.name, "route", "flush", "table", TABLE).catch(ignored);
    await ip(client.name, "address", "del", `${ADDRESS}/32`, "dev", "lo").catch(ignored);
  };
  await undo(); // what a killed run has left
  // The routes that it has, with the other address as their source.
  const routes = JSON.parse(await ip(client.name, "-json", "-4", "route", "show")) as Route[];
  await ip(client.name, "address", "add", `${ADDRESS}/32`, "dev", "lo");
  for (const { dst, gateway, dev } of routes.toSorted(linksFirst)) {
    const via = gateway === undefined ? [] : ["via", gateway];
    await ip(client.name, "route", "add", dst, ...via, "dev", dev, "src", ADDRESS, "table", TABLE);
  }
  await ip(client.name, "rule", "add", "priority", "100", "table", TABLE);
  // Machines of another subnet have no such neighbour: their router has.
  for (const machine of others) await ip(machine, "route", "replace", ADDRESS, "via", client.address).catch(ignored);
  return undo;
}

/** A gateway is reached by a route of its link. */
const linksFirst = (one: Route, other: Route): number =>
  Number(one.gateway !== undefined) - Number(other.gateway !== undefined);

const ignored = () => {};
