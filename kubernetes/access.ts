import type { RequestOptions } from "node:https";

/** Where an API server is, and as whom it is asked. */
export interface Access {
  /** URL, with the path before `/api` where there is one. */
  readonly server: string;
  /**
   * TLS settings, headers and, where a proxy is between, the agent of one request. Asked for each request: tokens and certificates end
   * before a long run does. @throws UnusableKubeconfig
   */
  options(): RequestOptions | Promise<RequestOptions>;
  /** Called when the API server refused what `options` gave (401): from now on it gives new credentials, if it has a source of new ones. */
  renew?(refused: RequestOptions): void;
}

/** Asks as nobody in particular. @param tls who is believed to be the API server */
export function anonymous(server: string, tls: Pick<RequestOptions, "ca" | "rejectUnauthorized"> = {}): Access {
  return { server, options: () => ({ ...tls }) };
}

/** Asks with a token. */
export function bearer(server: string, token: string, tls: Pick<RequestOptions, "ca" | "rejectUnauthorized">): Access {
  return { server, options: () => ({ ...tls, headers: { Authorization: `Bearer ${token}` } }) };
}
