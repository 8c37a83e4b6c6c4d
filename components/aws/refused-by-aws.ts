import { type InputPlace, refuseBecause } from "../refusal/refusal.ts";

/** Messages of AWS and its provider, and what they mean for the user. */
const MEANINGS: [RegExp, string][] = [
  [
    /no valid credential sources|NoCredentialProviders|failed to (refresh|retrieve) (cached )?credentials|no EC2 IMDS role/i,
    "there are no AWS credentials. Log in (aws sso login, aws configure), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  ],
  [
    /ExpiredToken|RequestExpired|token (included in the request is|has) expired|session (has |is )?expired|InvalidGrantException/i,
    "the AWS credentials have expired. Log in again (aws sso login), or renew AWS_SESSION_TOKEN",
  ],
  [
    /no such host|could not resolve|InvalidRegion|invalid aws region/i,
    "there is no such AWS region, or it is not reached from here. Set another one: pulumi config set aws:region eu-central-1",
  ],
  [
    /InvalidClientTokenId|UnrecognizedClient|AuthFailure|SignatureDoesNotMatch|OptInRequired/,
    "AWS does not accept these credentials. Are they those of the right account (aws sts get-caller-identity), and has it enabled the region (aws account list-regions)?",
  ],
  [
    /UnauthorizedOperation|AccessDenied|not authorized to perform/,
    "these AWS credentials may not do what is needed. Give them the permission that is named",
  ],
];

/** Ends the deployment with the meaning of AWS's message and the next step. */
export function refusedByAws(place: InputPlace, error: unknown): never {
  const said = error instanceof Error ? error.message : String(error);
  const [, meaning] = MEANINGS.find(([pattern]) => pattern.test(said)) ?? [];
  return refuseBecause(place, `${meaning ?? "AWS refused"} (it said: ${said.trim().replace(/\.$/, "")})`);
}
