// SPDX-License-Identifier: MIT
//
// Signals at any moment: a valid partial result with balanced books, and the right exit code.
import assert from 'node:assert/strict';
import test from 'node:test';
import { baseline, endOfRun, startRun } from './lib/mcpdrill.mjs';
import { settledStats, startMock } from './lib/mock.mjs';
import { startHostile } from './lib/hostile.mjs';
import { pause } from './lib/process.mjs';

const long = (url, extra = {}) => baseline({ url, vus: 8, ms: 60_000, ...extra });

// Moments that differ from run to run on purpose: start, handshake, ramp-up, in the middle.
const moments = [0, 5, 20, 50, 120, 300, 700, 1300].map(
  (ms) => ms + Math.floor(Math.random() * (ms / 4 + 4)),
);

for (const moment of moments) {
  test(`Ctrl-C after ${moment} ms`, async (t) => {
    const mock = await startMock(t);
    const running = startRun(long(mock.url));
    await pause(moment);
    running.child.kill('SIGINT');
    const before = Date.now();
    const end = await running.ended;
    // Before the program has installed its handlers, the signal's own default ends it.
    if (end.signal === 'SIGINT' && moment < 150) {
      return;
    }
    const whole = await endOfRun(running);
    assert.equal(whole.code, 130, whole.said);
    assert.ok(Date.now() - before < 3000, 'it drains quickly when operations are short');
    if (whole.result === null) {
      assert.ok(moment < 150, 'a result was written');
      return;
    }
    assert.equal(whole.result.exit_code, 130);
    assert.match(JSON.stringify(whole.result.stop), /interrupt|SIGINT/i);
    assert.equal(whole.result.totals.operations_unfinished, 0, 'short operations finish while draining');
    const stats = await settledStats(mock);
    assert.equal(stats.requests['tools/call'] ?? 0, whole.result.totals.operations_total);
  });
}

test('Ctrl-C while operations hang: draining is bounded, they are unfinished, not failed', async (t) => {
  const server = await startHostile(t, () => {});
  const running = startRun(long(server.url, { safety: { stop_policy: { drain_timeout_ms: 500 } } }));
  await pause(1500);
  running.child.kill('SIGINT');
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
  assert.equal(end.result.totals.operations_unfinished, 8);
  assert.equal(end.result.totals.operations_failed, 0);
  assert.ok(end.seconds < 6, `${end.seconds} s`);
});

test('Ctrl-C twice: at once', async (t) => {
  const server = await startHostile(t, () => {});
  const running = startRun(long(server.url));
  await pause(1500);
  running.child.kill('SIGINT');
  await pause(300);
  const before = Date.now();
  running.child.kill('SIGINT');
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
  assert.ok(Date.now() - before < 1500, `${Date.now() - before} ms after the second one`);
  assert.ok(end.result, 'a partial result was written');
  assert.equal(end.result.totals.operations_unfinished, 8);
});

test('Ctrl-C in preflight', async (t) => {
  const server = await startHostile(t, () => {});
  const running = startRun({
    ...long(server.url),
    stages: [
      { stage: 'preflight', duration_ms: 20_000, load: { target_vus: 1 } },
      { stage: 'baseline', duration_ms: 20_000, load: { target_vus: 4 } },
    ],
    safety: { stop_policy: { drain_timeout_ms: 500 } },
  });
  await pause(800);
  running.child.kill('SIGINT');
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
});

test('Ctrl-C while the target does not even answer the handshake', async (t) => {
  const server = await startHostile(
    t,
    () => {},
    () => true,
  );
  const running = startRun(long(server.url, { safety: { stop_policy: { drain_timeout_ms: 500 } } }));
  await pause(600);
  running.child.kill('SIGINT');
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
  assert.ok(end.seconds < 5, `${end.seconds} s`);
});

test('SIGTERM ends in order, with 143', async (t) => {
  const mock = await startMock(t);
  const running = startRun(long(mock.url));
  await pause(1000);
  running.child.kill('SIGTERM');
  const end = await endOfRun(running);
  assert.equal(end.code, 143, end.said);
  assert.equal(end.result.exit_code, 143);
});

test('the reader of the output goes away: the run does not die of SIGPIPE', async (t) => {
  const mock = await startMock(t);
  const running = startRun(baseline({ url: mock.url, ms: 2500 }));
  running.child.stdout.destroy();
  const end = await endOfRun(running);
  assert.equal(end.signal, null);
  assert.ok(end.result, 'the result was written');
});

test('the target dies in the middle: failures, no hang', async (t) => {
  const mock = await startMock(t);
  const running = startRun(
    baseline({ url: mock.url, vus: 4, ms: 3000, workload: { think_time: { mode: 'fixed', base_ms: 10 } } }),
  );
  await pause(1200);
  await mock.stop();
  const end = await endOfRun(running);
  assert.ok(end.result.totals.operations_failed > 0, end.said);
  assert.ok(end.result.totals.operations_total > end.result.totals.operations_failed);
  assert.ok(end.seconds < 10, `${end.seconds} s`);
});
