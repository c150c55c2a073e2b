// SPDX-License-Identifier: MIT
//
// Signals at any moment: a valid partial result with balanced books, and the right exit code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { baseline, endOfRun, startRun } from './lib/mcpdrill.mjs';
import { callsBegan, settledStats, startMock } from './lib/mock.mjs';
import { startHostile } from './lib/hostile.mjs';
import { pause } from './lib/process.mjs';

// Returns when `done` holds; how long a program takes to start is the machine's affair.
async function until(done) {
  for (let tries = 0; tries < 1000 && !done(); tries++) {
    await pause(20);
  }
  assert.ok(done(), 'the load has begun');
}

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
    const took = Date.now() - before;
    const { requests } = await mock.stats();
    const nothingSent = Object.keys(requests).length === 0;
    // Before the program has installed its handlers, the signal's own default ends it.
    if (end.signal === 'SIGINT' && nothingSent) {
      return;
    }
    const whole = await endOfRun(running);
    assert.equal(whole.code, 130, whole.said);
    assert.ok(took < 8000, `it drains quickly when operations are short: ${took} ms`);
    if (whole.result === null) {
      assert.ok(nothingSent, 'a result was written');
      return;
    }
    assert.equal(whole.result.exit_code, 130);
    assert.match(JSON.stringify(whole.result.stop), /interrupt|SIGINT/i);
    assert.equal(whole.result.totals.operations_unfinished, 0, 'short operations finish while draining');
    const stats = await settledStats(mock);
    assert.equal(stats.requests['tools/call'] ?? 0, whole.result.totals.operations_total);
  });
}

test('Ctrl-C while the worker processes are starting', async (t) => {
  const mock = await startMock(t);
  const running = startRun(long(mock.url), { args: ['--workers', '8'] });
  const children = () => {
    try {
      return readFileSync(`/proc/${running.child.pid}/task/${running.child.pid}/children`, 'utf8').trim();
    } catch {
      return '';
    }
  };
  while (children() === '' && running.child.exitCode === null) {
    await pause(1);
  }
  running.child.kill('SIGINT');
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
});

test('Ctrl-C while operations hang: draining is bounded, they are unfinished, not failed', async (t) => {
  const server = await startHostile(t, () => {});
  const running = startRun(long(server.url, { safety: { stop_policy: { drain_timeout_ms: 500 } } }));
  await until(() => server.calls() === 8);
  running.child.kill('SIGINT');
  const before = Date.now();
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
  assert.equal(end.result.totals.operations_unfinished, 8);
  assert.equal(end.result.totals.operations_failed, 0);
  assert.ok(Date.now() - before < 8000, `${Date.now() - before} ms after the signal`);
});

test('Ctrl-C twice: at once', async (t) => {
  const server = await startHostile(t, () => {});
  const running = startRun(long(server.url));
  await until(() => server.calls() === 8);
  running.child.kill('SIGINT');
  await pause(300);
  const before = Date.now();
  running.child.kill('SIGINT');
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
  // The drain of the first one may take 30 s.
  assert.ok(Date.now() - before < 8000, `${Date.now() - before} ms after the second one`);
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
  await until(() => server.calls() > 0);
  running.child.kill('SIGINT');
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
});

test('Ctrl-C while the target does not even answer the handshake', async (t) => {
  let requests = 0;
  const server = await startHostile(
    t,
    () => {},
    () => {
      requests++;
      return true;
    },
  );
  const running = startRun(long(server.url, { safety: { stop_policy: { drain_timeout_ms: 500 } } }));
  await until(() => requests > 0);
  running.child.kill('SIGINT');
  const before = Date.now();
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
  assert.ok(Date.now() - before < 8000, `${Date.now() - before} ms after the signal`);
});

test('SIGTERM ends in order, with 143', async (t) => {
  const mock = await startMock(t);
  const running = startRun(long(mock.url));
  await callsBegan(mock);
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
  await callsBegan(mock, 20);
  await mock.stop();
  const end = await endOfRun(running);
  assert.ok(end.result.totals.operations_failed > 0, end.said);
  assert.ok(end.result.totals.operations_total > end.result.totals.operations_failed);
  assert.ok(end.seconds < 20, `${end.seconds} s`);
});
