/** Requests signed with an access key: what the HTTP side hands over, and what it gets back. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../../model/principal.ts';

/** A request before its body has arrived. */
export interface RequestHead {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The project that the path names; undefined where paths name none. */
  readonly projectId: string | undefined;
}

/** A signed request whose key is known and whose time is right; whether the signature is depends on the body. */
export interface SignedRequest {
  /**
   * The signer, in the project of the path, or of `X-Project-Id`, or of its key. `body`: the bytes as they came over the
   * wire, undefined for none. Throws SignatureWrong, and ProjectMismatch for a project that is not the signer's.
   */
  verify(body: Buffer | undefined): Principal | Promise<Principal>;
}

export interface RequestSignatures {
  /** Throws the errors of the table from SignatureWrong to RegionInvalid. */
  begin(head: RequestHead): SignedRequest | Promise<SignedRequest>;
}
