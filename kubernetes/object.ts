/** Anything the API server stores or answers with. */
export interface ApiObject {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string; uid?: string; generation?: number; labels?: Record<string, string> };
  [field: string]: unknown;
}

/** Names one object. */
export interface ObjectId {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string | undefined };
}

/** `Deployment default/nginx`, for people. */
export function objectText({ kind, metadata }: ObjectId): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ""}${metadata.name}`;
}
