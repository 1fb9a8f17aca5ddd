/** Self-signed certificates for servers on the loopback, made by the `openssl` command. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CertificatePaths {
  readonly cert: string;
  readonly key: string;
}

/** Writes a certificate for `localhost` and 127.0.0.1 and its key, and returns the certificate's PEM. */
export async function makeCertificate({ cert, key }: CertificatePaths): Promise<string> {
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  try {
    await run('openssl', ['req', '-x509', ...options, ...names, '-keyout', key, '-out', cert]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENOENT' ? new Error('TLS is tested with certificates of openssl: install it') : error;
  }
  return readFile(cert, 'utf8');
}
