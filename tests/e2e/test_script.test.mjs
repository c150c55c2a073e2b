// SPDX-License-Identifier: MIT
//
// scripts/test.sh when somebody ends it: it says so, it does not pass for a success, and nothing that it
// started goes on. It runs in a copy of the sources, because other tests use this build folder.
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { pause, rootDir, start, tempDir } from './lib/process.mjs';

function copyOfTheSources() {
  const copy = join(tempDir(), 'sources');
  const unwanted = new Set(['.git', 'build', 'node_modules', '.tmp']);
  cpSync(rootDir, copy, { recursive: true, filter: (path) => !unwanted.has(basename(path)) });
  return copy;
}

// The processes that work in a folder.
function workersIn(folder) {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      return false;
    }
  });
}

for (const [signal, code, moment] of [
  ['SIGTERM', 143, ''],
  ['SIGINT', 130, '== lint'],
  ['SIGQUIT', 131, ''],
  ['SIGUSR1', 138, ''],
  ['SIGUSR2', 140, ''],
  ['SIGPIPE', 141, ''],
]) {
  test(`${signal} ends the tests and all that they have started, as a failure`, async () => {
    const copy = copyOfTheSources();
    const tests = start('bash', ['scripts/test.sh', '--no-setup', 'lint'], { cwd: copy, timeoutMs: 120_000 });
    for (let i = 0; i < 1200 && !(tests.stdout.includes(moment) && workersIn(copy).length > 1); i++) {
      await pause(50);
    }
    await pause(200);
    tests.child.kill(signal);
    const end = await tests.ended;
    assert.equal(end.code, code, end.stdout + end.stderr);
    assert.match(end.stdout, new RegExp(`^test: ended by ${signal}$`, 'm'));
    assert.match(end.stdout, new RegExp(`^FAILED: ended by ${signal}`, 'm'));
    assert.match(end.stdout.trimEnd().split('\n').at(-1), /^\d+ passed, 1 failed/);
    assert.deepEqual(workersIn(copy), []);
  });
}
