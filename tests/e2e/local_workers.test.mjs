// SPDX-License-Identifier: MIT
//
// `mcpdrill run --workers N`: processes of its own that it starts, and that end with it, whoever of them dies or hangs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { slowly, until } from './lib/fleet.mjs';
import { assertRan, baseline, checkBooks, endOfRun, inAll, startRun } from './lib/mcpdrill.mjs';
import { callsBegan, settledStats, startMock } from './lib/mock.mjs';
import { finished, pause } from './lib/process.mjs';

const config = (url, ms) => baseline({ url, vus: 9, ms, workload: { think_time: { mode: 'fixed', base_ms: 20 } } });

const childrenOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

// A process that nobody has reaped yet is gone all the same.
function isGone(pid) {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

async function begin(t, ms) {
  const mock = await startMock(t);
  const running = startRun(config(mock.url, ms), { args: ['--workers', '3'] });
  await callsBegan(mock, 50);
  const children = childrenOf(running.pid);
  assert.equal(children.length, 3);
  return { mock, running, children };
}

// The end of a run that has lost a worker, and says so.
async function endOfLoss(running) {
  const end = await finished(running, 'mcpdrill run');
  end.result = JSON.parse(readFileSync(running.json, 'utf8'));
  assert.equal(end.code, 5, end.stdout + end.stderr);
  assert.deepEqual([end.result.state, end.result.stop.kind], ['failed', 'worker_capacity_lost']);
  assert.match(end.result.integrity.line, /^merge FAILED: 2\/3 workers/);
  assert.ok(end.result.integrity.balanced);
}

describe('worker processes of a run', { concurrency: 3 }, () => {
  test('all that they do is in the result, and they are gone', async (t) => {
    const { mock, running, children } = await begin(t, 1500);
    const end = await endOfRun(running);
    assertRan(end);
    const calls = (await settledStats(mock)).requests['tools/call'];
    assert.equal(inAll(end.result, 'operations_total'), calls);
    assert.match(end.result.integrity.line, /3\/3 workers/);
    assert.ok(children.every(isGone));
  });

  test('Ctrl-C', async (t) => {
    const { mock, running, children } = await begin(t, 60_000);
    running.child.kill('SIGINT');
    const end = await endOfRun(running);
    assert.equal(end.code, 130, end.said);
    checkBooks(end.result);
    assert.equal(inAll(end.result, 'operations_total'), (await settledStats(mock)).requests['tools/call']);
    assert.ok(children.every(isGone));
  });

  test('one is killed: the run fails at once, and says whom it lost', async (t) => {
    const { running, children } = await begin(t, 60_000);
    const began = performance.now();
    process.kill(children[0], 'SIGKILL');
    await endOfLoss(running);
    assert.ok(performance.now() - began < slowly(3000));
    assert.ok(children.every(isGone));
  });

  test('one hangs: the same after ten seconds', async (t) => {
    const { running, children } = await begin(t, 60_000);
    const began = performance.now();
    process.kill(children[1], 'SIGSTOP');
    await endOfLoss(running);
    const took = performance.now() - began;
    assert.ok(took > 8000 && took < 10_000 + slowly(3000), `${took} ms`);
    assert.ok(children.every(isGone));
  });

  test('the run itself is stopped for a while: nobody pays for it', async (t) => {
    const { mock, running } = await begin(t, 14_000);
    running.child.kill('SIGSTOP');
    await pause(12_000);
    running.child.kill('SIGCONT');
    const end = await endOfRun(running);
    assertRan(end);
    assert.equal(inAll(end.result, 'operations_total'), (await settledStats(mock)).requests['tools/call']);
  });

  test('the run is killed: its workers do not stay', async (t) => {
    const { mock, running, children } = await begin(t, 60_000);
    running.child.kill('SIGKILL');
    await running.ended;
    await until('their end', () => children.every(isGone), 3000);
    const calls = (await settledStats(mock)).requests['tools/call'];
    await pause(300);
    assert.equal((await mock.stats()).requests['tools/call'], calls);
  });
});
