import { expect, test } from "vitest";
import { ApiRefusal } from "./errors.ts";
import { recentLog } from "./logs.ts";
import type { Api, ApiRequest } from "./transport.ts";

const pod = { metadata: { name: "p", namespace: "n" }, spec: { containers: [{ name: "one" }, { name: "two" }] } };
const starting = new ApiRefusal(400, "BadRequest", "container is waiting to start");

function answering(logs: Record<string, string | Error>): Api & { asked: ApiRequest[] } {
  const asked: ApiRequest[] = [];
  const send = async (request: ApiRequest) => {
    asked.push(request);
    const log = logs[request.query?.container ?? ""];
    if (typeof log === "string") return log;
    throw log;
  };
  return { server: "https://fake", asked, send };
}

test("the lines of all containers, of those that have a log", async () => {
  const api = answering({ one: "a\nb", two: starting });
  expect(await recentLog(api, pod, 1.2)).toEqual(["a", "b"]);
  expect(api.asked[0]).toMatchObject({
    path: "/api/v1/namespaces/n/pods/p/log",
    query: { container: "one", sinceSeconds: "2", tailLines: "20000" },
  });
});

test("where no container has one, the API server's words", async () => {
  await expect(recentLog(answering({ one: starting, two: starting }), pod, 1)).rejects.toThrow("waiting to start");
});
