/**
 * Runs one program of a real client in a process of its own and collects what it says about each of its steps. The
 * programs get one argument, a `Setting` as JSON, and print a line of JSON for each step; all else is their own talk.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What a program needs to know; what a client has no use for it ignores. */
export interface Setting {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly projectId: string;
  /** A project that nobody has. */
  readonly wrongProjectId: string;
  /** A temporary key of the same user, good only with its security token. */
  readonly temporaryAccessKey: string;
  readonly temporarySecretKey: string;
  readonly securityToken: string;
  /** Of the same user and project, as X-Auth-Token takes it. */
  readonly authToken: string;
  /** A bucket that exists. */
  readonly bucket: string;
  /** Path of the server's certificate; undefined over plain HTTP. */
  readonly certificate: string | undefined;
  /** Family of the signature, S1 to S4, where the client has a choice. */
  readonly signature: string;
  /** json or protobuf. */
  readonly form: string;
  /** none, lz4, snappy or zstd. */
  readonly compression: string;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface StepReport {
  readonly step: string;
  readonly ok: boolean;
  readonly error?: string;
}

export interface ProgramRun {
  readonly reports: ReadonlyMap<string, StepReport>;
  /** All that the program printed, for the message of a failed step. */
  readonly output: string;
}

const LIMIT_MS = 240_000;

const running = new Set<() => void>();
process.on('exit', () => {
  for (const kill of running) kill();
});

/** Resolves when the program has ended, however that was: a step that it did not report is missing from the reports. */
export async function runProgram({ command, args, env }: Command, setting: Setting): Promise<ProgramRun> {
  const all = { ...setting, certificate: setting.certificate ?? null };
  const child = spawn(command, [...args, JSON.stringify(all)], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => void child.kill('SIGKILL');
  running.add(kill);
  const timer = setTimeout(kill, LIMIT_MS);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  clearTimeout(timer);
  running.delete(kill);

  const reports = new Map<string, StepReport>();
  for (const line of stdout.split('\n')) {
    const report = readReport(line);
    if (report !== undefined) reports.set(report.step, report);
  }
  const end = `ended with ${child.exitCode ?? child.signalCode}`;
  return { reports, output: `${stdout}${stderr}\n${command} ${end}` };
}

function readReport(line: string): StepReport | undefined {
  return line.startsWith('{"step"') ? (JSON.parse(line) as StepReport) : undefined;
}
