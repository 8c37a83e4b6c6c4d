import type { RequestOptions } from "node:https";

/** Where an API server is, and how to authenticate. */
export interface Access {
  /** URL, with the path before `/api` where there is one. */
  readonly server: string;
  /**
   * TLS settings, headers and, with a proxy, the HTTP agent of one request. Called for each request: tokens and certificates may expire
   * during a long run. @throws UnusableKubeconfig
   */
  options(): RequestOptions | Promise<RequestOptions>;
  /** Called when the API server refused what `options` returned (401). From then on `options` returns new credentials, if there are any. */
  renew?(refused: RequestOptions): void;
}

/** Without credentials. @param tls how the API server is verified */
export function anonymous(server: string, tls: Pick<RequestOptions, "ca" | "rejectUnauthorized"> = {}): Access {
  return { server, options: () => ({ ...tls }) };
}

/** With a token. */
export function bearer(server: string, token: string, tls: Pick<RequestOptions, "ca" | "rejectUnauthorized">): Access {
  return { server, options: () => ({ ...tls, headers: { Authorization: `Bearer ${token}` } }) };
}
