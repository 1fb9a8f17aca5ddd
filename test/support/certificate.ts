/** Self-signed certificates for servers on the loopback. */
import { writeFile } from 'node:fs/promises';
import { generate } from 'selfsigned';

export interface CertificatePaths {
  readonly cert: string;
  readonly key: string;
}

/** Writes a certificate for `localhost` and 127.0.0.1 and its key, and returns the certificate's PEM. */
export async function makeCertificate({ cert, key }: CertificatePaths): Promise<string> {
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  await writeFile(key, pems.private, { mode: 0o600 });
  await writeFile(cert, pems.cert);
  return pems.cert;
}
