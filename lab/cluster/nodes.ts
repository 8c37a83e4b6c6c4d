import type { LabMachine, LabSpec } from "../../components/documents/lab.ts";
import type { Progress } from "../progress.ts";
import { type ApiServerPath, waitUntilJoinable } from "./api-server.ts";
import { bootstrap } from "./bootstrap.ts";
import { isNode } from "./description.ts";
import { type Image, isNeededFirst, loadImages, staleImages } from "./images.ts";
import type { Plan } from "./plan.ts";

interface Undertaking {
  spec: LabSpec;
  plan: Plan;
  images: Image[];
  path: ApiServerPath;
  joinToken: string;
  progress: Progress;
}

/** kubeadm starts as soon as the images that it needs are loaded; the others are loaded while it runs. */
async function makeControlPlane(
  { spec, images, joinToken, progress }: Undertaking,
  machine: LabMachine,
): Promise<void> {
  const { name } = machine;
  const load = (some: Image[]) => loadImages(spec.name, name, some);
  await progress.phase(`${name}: start containerd`, () => bootstrap(spec, machine, joinToken, "prepare"));
  await progress.phase(`${name}: load the first images`, () => load(images.filter(isNeededFirst)));
  await Promise.all([
    progress.phase(`${name}: kubeadm init`, () => bootstrap(spec, machine, joinToken, "join")),
    load(images.filter((image) => !isNeededFirst(image))),
  ]);
}

async function joinWorker(undertaking: Undertaking, machine: LabMachine, gaveUp: () => boolean): Promise<void> {
  const { spec, images, path, joinToken, progress } = undertaking;
  const { name } = machine;
  await progress.phase(`${name}: start containerd`, () => bootstrap(spec, machine, joinToken, "prepare"));
  await progress.phase(`${name}: load images`, () => loadImages(spec.name, name, images));
  await waitUntilJoinable(path, joinToken, gaveUp);
  if (gaveUp()) return;
  await progress.phase(`${name}: kubeadm join`, () => bootstrap(spec, machine, joinToken, "join"));
}

/** Bootstraps the machines that are to be nodes, all in parallel. A worker joins when the control plane is ready for it. */
export async function bringUpNodes(undertaking: Undertaking): Promise<void> {
  const { spec, plan } = undertaking;
  let failed = false;
  const work = spec.machines
    .filter(({ name }) => plan.bootstrap.includes(name))
    .map((machine) => {
      if (machine.role === "worker") return joinWorker(undertaking, machine, () => failed);
      return makeControlPlane(undertaking, machine).catch((error) => {
        failed = true;
        throw error;
      });
    });
  const outcomes = await Promise.allSettled(work);
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure) throw failure.reason;
}

/** Reloads images whose content changed since they were loaded (same name, new content). */
export async function refreshImages(spec: LabSpec, images: Image[], progress: Progress): Promise<void> {
  const nodes = spec.machines.filter(isNode);
  await Promise.all(
    nodes.map(async ({ name }) => {
      const stale = staleImages(spec.name, name, images);
      if (stale.length === 0) return;
      const names = stale.map((image) => image.names[0]).join(", ");
      await progress.phase(`${name}: load ${names}`, () => loadImages(spec.name, name, stale));
    }),
  );
}
