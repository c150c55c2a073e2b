// SPDX-License-Identifier: MIT
//
// Starts our programs, watches them, and ends them by their process id. Everything is bounded by a
// time, so that a test fails instead of hanging, and every process that a test starts dies with it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { watchForeignCores } from './cores.mjs';

export const rootDir = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const binDir = resolve(process.env.MCPDRILL_BIN_DIR ?? join(rootDir, 'build/bin'));
// True when the binaries are built with ASan and UBSan: they are slower and need more memory.
export const sanitized = process.env.MCPDRILL_SANITIZED === '1';

// Leaks and undefined behaviour must not pass for one of our own exit codes.
const SANITIZER_EXIT = 99;
const SANITIZER_REPORT =
  /ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:|WARNING: ThreadSanitizer/;
const environment = {
  ...process.env,
  LC_ALL: 'C.UTF-8', // what is shown does not hang on the machine's language
  NO_COLOR: '1',
  ASAN_OPTIONS: `exitcode=${SANITIZER_EXIT}:detect_leaks=1`,
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
};

const alive = new Set();
const folders = new Set();
process.on('exit', () => {
  for (const child of alive) {
    child.kill('SIGKILL');
  }
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
  }
});

// A signal would end the process without the above.
for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
  process.once(signal, () => process.exit(128 + number));
}

// A temporary folder that is gone when the test process ends.
export function tempDir() {
  const folder = mkdtempSync(join(tmpdir(), 'mcpdrill-e2e-'));
  folders.add(folder);
  return folder;
}

// The processes that tests have started and that still run.
export const livingPids = () => [...alive].map((child) => child.pid).filter(Boolean);

// What others had of the cores since this file was read.
export const foreignCores = watchForeignCores(livingPids);

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// One line of /proc/PID/status in bytes, or 0 when the process is gone.
export function memoryOf(pid, name) {
  try {
    const match = readFileSync(`/proc/${pid}/status`, 'utf8').match(
      new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'),
    );
    return match ? Number(match[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}

// Starts a program. The returned object grows `stdout` and `stderr`; `ended` resolves to
// {code, signal, stdout, stderr, seconds, peakBytes, foreignCores} when it is over; the last is how many cores
// others had at most while it ran.
export function start(program, args, options = {}) {
  const began = process.hrtime.bigint();
  const since = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd ?? rootDir,
    env: { ...environment, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running = { child, pid: child.pid, stdout: '', stderr: '', peakBytes: 0, timedOut: false };
  alive.add(child);
  child.stdout.setEncoding('utf8').on('data', (text) => {
    running.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    running.stderr += text;
  });

  const watch = setInterval(() => {
    running.peakBytes = Math.max(running.peakBytes, memoryOf(child.pid, 'VmHWM'));
  }, 50);
  const limit = setTimeout(() => {
    running.timedOut = true;
    child.kill('SIGKILL');
  }, options.timeoutMs ?? 30_000);

  running.ended = new Promise((done, fail) => {
    child.on('error', (error) => {
      alive.delete(child);
      clearInterval(watch);
      clearTimeout(limit);
      fail(error);
    });
    child.on('close', (code, signal) => {
      alive.delete(child);
      clearInterval(watch);
      clearTimeout(limit);
      const seconds = Number(process.hrtime.bigint() - began) / 1e9;
      done({
        code,
        signal,
        seconds,
        stdout: running.stdout,
        stderr: running.stderr,
        peakBytes: running.peakBytes,
        foreignCores: foreignCores.most(since),
      });
    });
  });
  return running;
}

// Of a process that was killed there is no more to ask.
export async function killed(running, what) {
  running.child.kill('SIGKILL');
  const end = await running.ended;
  assert.doesNotMatch(end.stderr, SANITIZER_REPORT, what);
  return end;
}

// Fails with everything that the program said if it hung, crashed, or a sanitizer complained.
export async function finished(running, what) {
  const end = await running.ended;
  const said = `\n--- stdout\n${end.stdout}\n--- stderr\n${end.stderr}`;
  if (running.timedOut) {
    throw new Error(`${what} did not end in time and was killed${said}`);
  }
  if (SANITIZER_REPORT.test(end.stderr) || end.code === SANITIZER_EXIT) {
    throw new Error(`${what}: a sanitizer reports${said}`);
  }
  if (end.signal !== null) {
    throw new Error(`${what} died of ${end.signal}${said}`);
  }
  return end;
}
