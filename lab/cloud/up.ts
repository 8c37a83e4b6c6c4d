import { spawn } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { API_SERVER_PORT } from "../../components/documents/defaults.ts";
import { startForwarder } from "../cluster/forwarder.ts";
import { requireArchives, selectImages } from "../cluster/images.ts";
import { CLOUD, readState, writeState } from "../cluster/state.ts";
import { LabFailure } from "../failure.ts";
import { program } from "../installation.ts";
import { register, registered } from "../journal.ts";
import { run } from "../machines/command.ts";
import { firstProcess, stopMachine } from "../machines/machine.ts";
import { ipBatch, setInNamespace } from "../machines/namespaces.ts";
import { createNetwork } from "../machines/network.ts";
import { beginLab } from "../machines/origin.ts";
import { identify, isAlive } from "../machines/processes.ts";
import { addSwitchAddress, filterBridged, inSwitch } from "../machines/switch.ts";
import { labFolder, switchNamespace } from "../names.ts";
import type { Progress } from "../progress.ts";
import { firewall } from "./firewall.ts";
import { bootInstance } from "./instance.ts";
import { metadataAddress } from "./metadata.ts";
import { authorityFiles, readCloud, writeCloud } from "./place.ts";
import type { CloudSpec } from "./spec.ts";

/** Creates the specified instances and their environment. Running instances are not changed, except for the rules around them. */
export async function cloudUp(wanted: CloudSpec, progress: Progress): Promise<void> {
  const lab = wanted.name;
  requireArchives(selectImages([]));
  beginLab(lab);
  const spec = joined(readCloud(lab), wanted);
  writeCloud(spec);
  remember(spec);
  const absent = spec.instances.filter(({ name }) => firstProcess(lab, name) === undefined);
  // Also removes the remains of an instance that died: it boots with its disk and nothing else.
  await Promise.all(absent.map(({ name }) => stopMachine(lab, name)));
  // Not their roles, which are permissions.
  await createNetwork(
    lab,
    spec.instances.map(({ name, address, addressIpv6 }) => ({ name, address, addressIpv6 })),
  );
  await filterBridged(lab, true); // security groups hold between machines too
  await run([...inSwitch(lab), "nft", "--file", "-"], {
    input: firewall(spec.instances, spec.routes),
    purpose: "load the security groups",
  });
  await route(spec);
  await ensureMetadata(spec);
  const names = absent.map(({ name }) => name).join(", ");
  if (absent.length > 0) {
    await progress.phase(`boot ${names}`, () => Promise.all(absent.map((instance) => bootInstance(spec, instance))));
  }
  await ensureForwarder(spec);
}

/** The program runs resource by resource, so existing instances stay. */
function joined(before: CloudSpec, wanted: CloudSpec): CloudSpec {
  const merge = <T extends { name: string }>(old: T[], all: T[]) => [
    ...old.filter(({ name }) => !all.some((one) => one.name === name)),
    ...all,
  ];
  const moved = before.instances.find((known) =>
    wanted.instances.some(
      ({ name, address, addressIpv6 }) =>
        name === known.name && (address !== known.address || addressIpv6 !== known.addressIpv6),
    ),
  );
  if (moved) {
    const next = `remove the rehearsal, then start again`;
    throw new LabFailure(`instance ${moved.name} already exists with another address`, { next, exitCode: 2 });
  }
  return {
    ...wanted,
    instances: merge(before.instances, wanted.instances),
    parameters: merge(before.parameters, wanted.parameters),
    routes: [...before.routes.filter(({ cidr }) => !wanted.routes.some((one) => one.cidr === cidr)), ...wanted.routes],
  };
}

/** The switch is the VPC's router. */
async function route({ name, instances, routes }: CloudSpec): Promise<void> {
  const commands = routes.flatMap(({ cidr, instance }) => {
    const target = instances.find((one) => one.name === instance);
    return target ? [`route replace ${cidr} via ${target.address}`] : [];
  });
  if (commands.length === 0) return;
  const purpose = `write the routes of the VPC of lab ${name}`;
  await setInNamespace(switchNamespace(name), purpose, ["net.ipv4.ip_forward=1"]);
  await ipBatch(switchNamespace(name), purpose, commands);
}

/** Lets `status` and the verification find the machines; `up` cannot change a lab of this kind. */
function remember({ name, instances }: CloudSpec): void {
  const machines = instances.map(({ name: machine, address, addressIpv6, userData }) => {
    const role = /^export ROLE='(control-plane|worker)'$/m.exec(userData ?? "")?.[1] ?? "client";
    return { name: machine, address, addressIpv6, role: role as "control-plane" | "worker" | "client" };
  });
  const spec = {
    name,
    kubernetesVersion: CLOUD,
    podSubnet: "",
    serviceSubnet: "",
    machines,
    images: [],
    kubeProxy: false,
  };
  writeState(name, { ...readState(name), spec });
}

async function ensureMetadata({ name: lab, region }: CloudSpec): Promise<void> {
  await addSwitchAddress(lab, `${metadataAddress}/32`);
  const { key, certificate } = authorityFiles(lab);
  if (!existsSync(certificate)) {
    const host = `ssm.${region}.amazonaws.com`;
    const words = [
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "30",
      "-subj",
      `/CN=${host}`,
    ];
    const out = ["-addext", `subjectAltName=DNS:${host}`, "-keyout", key, "-out", certificate];
    await run(["openssl", "req", ...words, ...out], { purpose: "create the certificate of the parameters' endpoint" });
  }
  const alive = registered(lab).some((one) => one.kind === "process" && one.role === "metadata" && isAlive(one));
  if (alive) return;
  const log = openSync(join(labFolder(lab), "metadata.log"), "a");
  const [file = "", ...args] = [...inSwitch(lab), process.execPath, ...program(), "serve-metadata", lab];
  const child = spawn(file, args, {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log],
  });
  const identity = identify(child.pid as number);
  if (!identity) throw new LabFailure(`cannot start the metadata service of lab ${lab}`);
  register(lab, { kind: "process", ...identity, role: "metadata" });
  child.unref();
}

/** The public address of the control plane. */
async function ensureForwarder({ name, instances }: CloudSpec): Promise<void> {
  const entry = instances.find(({ publicAddress }) => publicAddress !== undefined);
  const state = readState(name);
  if (!entry || !state || (state.forwarder && isAlive(state.forwarder))) return;
  const forwarder = await startForwarder(name, entry.name, API_SERVER_PORT, entry.publicAddress);
  writeState(name, { ...state, forwarder });
}
