import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCertificate } from '../test/support/certificate.ts';
import { TlsCertificate, TlsCertificateError } from './tls-certificate.ts';

async function makeFiles(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const fresh = { cert: join(folder, 'new-cert.pem'), key: join(folder, 'new-key.pem') };
  return { files, fresh, pem: await makeCertificate(files), freshPem: await makeCertificate(fresh) };
}

test('a new pair is taken once both of its files are there', async (t) => {
  const { files, fresh, pem, freshPem } = await makeFiles(t);
  const certificate = await TlsCertificate.load({ ...files, minVersion: 'TLSv1.2' });
  assert.equal(await certificate.refresh(), false);

  await copyFile(fresh.cert, files.cert);
  await assert.rejects(certificate.refresh(), TlsCertificateError);
  assert.equal(certificate.identity.cert.toString(), pem);

  await copyFile(fresh.key, files.key);
  assert.equal(await certificate.refresh(), true);
  assert.equal(certificate.identity.cert.toString(), freshPem);
  assert.equal(await certificate.refresh(), false);
});

test('files that are gone or broken change nothing', async (t) => {
  const { files, pem } = await makeFiles(t);
  const certificate = await TlsCertificate.load({ ...files, minVersion: 'TLSv1.2' });
  await writeFile(files.cert, '');
  await assert.rejects(certificate.refresh(), /^TlsCertificateError: tls: .+ cannot be used: /);
  await rm(files.cert);
  await assert.rejects(certificate.refresh(), /^TlsCertificateError: tls\.cert: ENOENT/);
  assert.equal(certificate.identity.cert.toString(), pem);
  await assert.rejects(TlsCertificate.load({ ...files, minVersion: 'TLSv1.2' }), TlsCertificateError);
});
