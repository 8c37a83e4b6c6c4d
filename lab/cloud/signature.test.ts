import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { accessKeyOf, isSigned, type SignedRequest } from "./signature.ts";

/** A request signed by curl, as on instances. */
async function signedByCurl(): Promise<SignedRequest> {
  let request: SignedRequest | undefined;
  const server = createServer(async (incoming, response) => {
    const { method = "", url = "", headers } = incoming;
    request = { method, path: url, headers, body: await text(incoming) };
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const sign = [
    "--aws-sigv4",
    "aws:amz:eu-central-1:ssm",
    "--user",
    "ASIAEXAMPLE:secret",
    "--header",
    "X-Amz-Target: a.b",
  ];
  await promisify(execFile)("curl", ["--silent", ...sign, "--data", '{"Name":"/a"}', `http://127.0.0.1:${port}/`]);
  server.close();
  return request as SignedRequest;
}

test("a signature by curl is valid only for its key and its body", async () => {
  const request = await signedByCurl();
  expect(accessKeyOf(request)).toBe("ASIAEXAMPLE");
  expect(isSigned(request, "secret")).toBe(true);
  expect(isSigned(request, "another")).toBe(false);
  expect(isSigned({ ...request, body: '{"Name":"/b"}' }, "secret")).toBe(false);
  expect(isSigned({ ...request, headers: { ...request.headers, authorization: undefined } }, "secret")).toBe(false);
});
