import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** The signed parts of an HTTP request. */
export interface SignedRequest {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})$/;

/** The access key that a request names. */
export function accessKeyOf({ headers }: SignedRequest): string | undefined {
  return AUTHORIZATION.exec(String(headers.authorization))?.[1];
}

/** Whether a request is signed with this secret by AWS Signature Version 4 (IAM user guide, "Create a signed API request"). */
export function isSigned(request: SignedRequest, secret: string): boolean {
  const [, , date = "", region = "", service = "", names = "", signature = ""] =
    AUTHORIZATION.exec(String(request.headers.authorization)) ?? [];
  const headers = names
    .split(";")
    .map((name) => `${name}:${String(request.headers[name]).trim().replace(/ +/g, " ")}\n`);
  const canonical = [request.method, request.path, "", headers.join(""), names, sha256(request.body)].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<string | Buffer>(
    (before, part) => createHmac("sha256", before).update(part).digest(),
    `AWS4${secret}`,
  );
  const right = createHmac("sha256", key).update(text).digest("hex");
  return signature.length === right.length && timingSafeEqual(Buffer.from(signature), Buffer.from(right));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
