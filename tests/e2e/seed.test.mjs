// SPDX-License-Identifier: MIT
//
// The stream stall scenario by the commands of its guide, from build/bin/ and with its own port, and
// the same quickly on another port.
import assert from 'node:assert/strict';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { assertRan, checkBooks, endOfRun, errorCounts, run, startRun } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { binDir, finished, pause, rootDir, start } from './lib/process.mjs';
import { watchMachine } from './lib/quiet.mjs';

const scenario = join(rootDir, 'examples/scenarios/stream-stall-test.json');

function portIsFree(port) {
  const tryHost = (host) =>
    new Promise((done) => {
      const server = net.createServer();
      server.once('error', (error) => done(error.code !== 'EADDRINUSE'));
      server.listen({ port, host, exclusive: true }, () => server.close(() => done(true)));
    });
  return Promise.all([tryHost('127.0.0.1'), tryHost('::1')]).then((both) => both.every(Boolean));
}

const TOLERANCE_MS = 50;
const BUSY_TOLERANCE_MS = 1000;

// Every stall has its type and origin, and its time of silence is the configured one.
function checkStalls(result, stallMs) {
  const counts = errorCounts(result);
  assert.deepEqual(Object.keys(counts), ['stream_stall/STREAM_STALL_TIMEOUT/stream_stall']);
  assert.ok(result.totals.stream_stall_count >= 5, `${result.totals.stream_stall_count} stalls`);
  assert.equal(result.totals.stream_stall_count, counts['stream_stall/STREAM_STALL_TIMEOUT/stream_stall']);
  assert.equal(result.totals.operations_failed, result.totals.stream_stall_count);
  // The first event comes at once, so the time of the operation is the time of the silence. What was
  // unfinished at the end is in the distribution too, with the time that it had waited by then.
  const { n, p90_ms: p90, min_ms: min, max_ms: max } = result.distributions.service;
  assert.equal(n, result.totals.stream_stall_count + result.totals.operations_unfinished);
  assert.ok(p90 >= stallMs && max <= stallMs + BUSY_TOLERANCE_MS, `stalls took ${p90} to ${max} ms`);
  if (result.totals.operations_unfinished === 0) {
    assert.ok(min >= stallMs, `the shortest one took ${min} ms`);
  }
}

// The same on a machine that was quiet; else the test is skipped from here on.
function checkExactly(t, machine, result, stallMs) {
  const { max_ms: max } = result.distributions.service;
  if (!machine.skips(t)) {
    assert.ok(max <= stallMs + TOLERANCE_MS, `the longest stall took ${max} ms`);
  }
}

test('the commands of the guide: a condition stops the run after ten seconds of silence', async (t) => {
  if (!(await portIsFree(9000))) {
    t.skip('port 9000, which the guide uses, is taken');
    return;
  }
  const mock = start('./mockserver', ['--addr', ':9000'], { cwd: binDir, timeoutMs: 120_000 });
  t.after(async () => {
    mock.child.kill('SIGTERM');
    await finished(mock, 'mockserver');
  });
  for (let i = 0; i < 200 && !/listening/.test(mock.stdout); i++) {
    await pause(20);
  }
  // The relative path of the guide holds for build/bin; other builds lie elsewhere.
  const inPlace = binDir === join(rootDir, 'build/bin');
  const path = inPlace ? '../../examples/scenarios/stream-stall-test.json' : scenario;
  const machine = watchMachine();
  const end = await run(path, { cwd: binDir });
  assert.equal(end.code, 4, end.said);
  assert.equal(end.result.exit_code, 4);
  assert.equal(end.result.state, 'stopped');
  assert.equal(end.result.stop.kind, 'stop_condition_met');
  assert.match(end.result.stop.sentence, /stream_stall_count|stall/);
  checkStalls(end.result, 10_000);
  const baseline = end.result.stages.find((stage) => stage.stage === 'baseline');
  assert.ok(baseline, 'the baseline stage is in the result');
  assert.ok(end.seconds < 40, `the whole run took ${end.seconds} s`);
  assert.ok(
    end.result.conditions.some((one) => one.metric === 'stream_stall_count' && one.breached),
    'the condition is named',
  );
  checkExactly(t, machine, end.result, 10_000);
});

test('the same in less time: the stall time-out scaled down', async (t) => {
  const mock = await startMock(t);
  const machine = watchMachine();
  const end = await run(scenario, {
    args: [
      '--set',
      `target.url=${mock.url}`,
      '--set',
      // The stream of the preflight (2 s) stalls after its end: it counts neither way there.
      'target.timeouts.stream_stall_timeout_ms=2500',
      // So long a pause that nothing is in flight when the condition is met.
      '--set',
      'workload.think_time.mode=fixed',
      '--set',
      'workload.think_time.base_ms=60000',
    ],
  });
  assert.equal(end.code, 4, end.said);
  assert.equal(end.result.totals.operations_unfinished, 0);
  checkStalls(end.result, 2500);
  checkBooks(end.result);
  checkExactly(t, machine, end.result, 2500);
});

test('on_trigger "pass" makes reaching the condition a success', async (t) => {
  const mock = await startMock(t);
  const running = startRun({
    target: { url: mock.url, timeouts: { stream_stall_timeout_ms: 1000 } },
    workload: {
      tools: {
        templates: [
          {
            tool_name: 'notifications_subscribe',
            arguments: { event_count: 2, interval_ms: 5000 },
            expects_streaming: true,
          },
        ],
      },
    },
    stages: [
      {
        stage: 'baseline',
        duration_ms: 20000,
        load: { target_vus: 3, start_spread_ms: 0 },
        stop_conditions: [
          { metric: 'stream_stall_count', comparator: '>=', threshold: 3, on_trigger: 'pass' },
        ],
      },
    ],
  });
  const end = await endOfRun(running);
  assertRan(end);
  assert.equal(end.result.stop.kind, 'stop_condition_met');
  assert.equal(end.result.verdict, end.code === 0 ? 'passed' : 'invalid');
  assert.ok(end.seconds < 15, `stopped after ${end.seconds} s of 20`);
});
