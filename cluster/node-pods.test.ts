import { expect, test } from "vitest";
import { NODE_RIGHTS } from "../components/dataplane/rights.ts";
import { errandPod } from "./node-pods.ts";

test("an errand has the agent's rights on a node, sees only its mounts, and can write to its own folder", () => {
  const given = {
    volumes: [{ name: "etc", hostPath: { path: "/etc" } }],
    volumeMounts: [{ name: "etc", mountPath: "/host/etc", readOnly: true }],
  };
  const errand = { purpose: "look", nodes: ["node"], image: "image", args: ["look"], mounts: given, seconds: 1 };
  const { spec } = errandPod(errand, "node", "look-1", "1");
  expect(spec).toMatchObject({ nodeName: "node", hostNetwork: true, automountServiceAccountToken: false });
  expect(spec?.hostPID).toBeUndefined();
  expect(spec?.volumes).toEqual([{ name: "tmp", emptyDir: {} }, ...given.volumes]);
  const [container] = spec?.containers ?? [];
  expect(container?.securityContext).toEqual(NODE_RIGHTS);
  expect(container?.volumeMounts).toEqual([{ name: "tmp", mountPath: "/tmp" }, ...given.volumeMounts]);
  expect(container?.resources?.limits).toEqual({ memory: "512Mi" });
});
