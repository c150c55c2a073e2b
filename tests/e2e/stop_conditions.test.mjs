// SPDX-License-Identifier: MIT
//
// Each stop condition of the streaming guide fires when the server misbehaves accordingly, not when it
// does not, and only after as long as it says; in windows of seconds.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertRan, baseline, endOfRun, run, startRun } from './lib/mcpdrill.mjs';
import { callsBegan, startMock } from './lib/mock.mjs';
import { pause } from './lib/process.mjs';

const WINDOW = 1000;
const condition = (metric, threshold, more = {}) => ({
  id: metric,
  metric,
  comparator: '>',
  threshold,
  window_ms: WINDOW,
  sustain_windows: 2,
  ...more,
});

// The conditions of both templates and of the stall test, with the latency's limit for short streams.
const guide = {
  error_rate: condition('error_rate', 0.05),
  latency_p99_ms: condition('latency_p99_ms', 800, { sustain_windows: 3 }),
  stream_error_rate: condition('stream_error_rate', 0.1),
  stream_stall_count: condition('stream_stall_count', 5, { comparator: '>=', sustain_windows: 1 }),
  connection_error_rate: condition('connection_error_rate', 0.1),
  session_creation_failures: condition('session_creation_failures', 10, { sustain_windows: 1 }),
};

// Streams of 100 ms, a session for each.
function load(url, { ms = 10_000, conditions = Object.values(guide), ...rest } = {}) {
  return baseline({
    url,
    vus: 20,
    ms,
    tool: 'streaming_tool',
    toolArguments: { chunks: 5, delay_ms: 25 },
    streaming: true,
    timeouts: { stream_stall_timeout_ms: 600 },
    workload: { think_time: { mode: 'fixed', base_ms: 50 } },
    session_policy: { mode: 'churn', churn_interval_ops: 1 },
    stage: { stop_conditions: conditions },
    ...rest,
  });
}

const seconds = (since) => (performance.now() - since) / 1000;

const faults = [
  { metric: 'error_rate', fault: { http_500: 0.3 } },
  { metric: 'latency_p99_ms', fault: { latency: { kind: 'fixed', ms: 900 } } },
  { metric: 'stream_error_rate', fault: { cut: 0.5 }, alone: true },
  { metric: 'stream_stall_count', fault: { stall_after_events: 2 }, alone: true },
  { metric: 'connection_error_rate', fault: { refuse_connections: 0.5 }, alone: true },
  { metric: 'session_creation_failures', fault: { refuse_sessions: 0.5 }, alone: true },
];

for (const { metric, fault, alone } of faults) {
  test(`${metric} fires when the server does that`, async (t) => {
    const mock = await startMock(t);
    // Where a fault also raises the error rate, that condition would be the first.
    const conditions = alone ? [guide[metric]] : Object.values(guide);
    const running = startRun(load(mock.url, { conditions }));
    await callsBegan(mock);
    await pause(300);
    const since = performance.now();
    await mock.faults(fault);
    const end = await endOfRun(running);
    const took = seconds(since);
    assert.equal(end.code, 4, end.said);
    const { stop, conditions: judged, stages } = end.result;
    assert.equal(stop.kind, 'stop_condition_met');
    assert.equal(stop.condition_id, metric);
    assert.ok(stop.sentence.length > 20, stop.sentence);
    const { sustain_windows: windows } = guide[metric];
    assert.equal(stop.observed.length, windows);
    for (const { value } of stop.observed) {
      assert.ok(value >= guide[metric].threshold, `${metric}: ${JSON.stringify(stop.observed)}`);
    }
    const triggered = judged.filter((one) => one.triggered);
    assert.deepEqual(
      triggered.map((one) => one.id),
      [metric],
    );
    assert.ok(triggered[0].breached);
    assert.equal(stages[0].stage, 'baseline');
    // "1 s × 2" is two whole seconds at least: the first one may have begun before the fault.
    assert.ok(took >= windows - 1, `fired after ${took} s`);
    // Well before the 10 s of the stage are over.
    assert.ok(took <= windows + 5, `ended after ${took} s`);
  });
}

test('none of them fires on a server that behaves', async (t) => {
  const mock = await startMock(t);
  const end = await run(load(mock.url, { ms: 4000 }));
  assertRan(end);
  assert.equal(end.result.state, 'completed');
  assert.equal(end.result.conditions.length, Object.keys(guide).length);
  for (const one of end.result.conditions) {
    assert.ok(!one.triggered && !one.breached, JSON.stringify(one));
  }
});

test('five windows in a row are needed: a fault of less than two seconds touches three', async (t) => {
  const mock = await startMock(t);
  const conditions = [condition('error_rate', 0.05, { sustain_windows: 5 })];
  const running = startRun(load(mock.url, { ms: 6000, conditions }));
  await callsBegan(mock);
  await pause(700);
  await mock.faults({ http_500: 0.5 });
  await pause(1800);
  await mock.faults({ http_500: 0 });
  const end = await endOfRun(running);
  assertRan(end);
  assert.ok(end.result.totals.operations_failed > 0, 'there were errors');
  assert.ok(end.result.conditions[0].worst > 0.05);
  assert.ok(!end.result.conditions[0].triggered);
});

test('three windows in a row are enough, and not before', async (t) => {
  const mock = await startMock(t);
  const conditions = [condition('error_rate', 0.05, { sustain_windows: 3 })];
  const running = startRun(load(mock.url, { conditions }));
  await callsBegan(mock);
  await pause(1000);
  const since = performance.now();
  await mock.faults({ http_500: 0.5 });
  const end = await endOfRun(running);
  const took = seconds(since);
  assert.equal(end.code, 4, end.said);
  assert.ok(took >= 2 && took <= 8, `after ${took} s`);
});

test('a window does not reach back into the stage before', async (t) => {
  const mock = await startMock(t);
  const clean = { stage: 'baseline', duration_ms: 4000, load: { target_vus: 20, start_spread_ms: 0 } };
  const scenario = load(mock.url);
  scenario.stages = [
    { ...clean, stage_id: 'bad' },
    {
      ...clean,
      stage_id: 'good',
      stage: 'custom',
      stop_conditions: [
        condition('error_rate', 0.001, { window_ms: 3000, sustain_windows: 1 }),
        condition('operations_failed', 0, { window_ms: 3000, sustain_windows: 1 }),
      ],
    },
  ];
  await mock.faults({ http_500: 0.5 });
  const running = startRun(scenario);
  await callsBegan(mock);
  await pause(2300);
  await mock.faults({ http_500: 0 });
  const end = await endOfRun(running);
  assertRan(end);
  const [bad, good] = end.result.stages;
  assert.ok(bad.totals.operations_failed > 0 && bad.totals.error_rate > 0.1);
  assert.equal(good.totals.operations_failed, 0);
});

test('a stalled server: silence of open streams', async (t) => {
  const mock = await startMock(t);
  const scenario = load(mock.url, {
    conditions: [],
    toolArguments: { chunks: 100, delay_ms: 50 },
    timeouts: { stream_stall_timeout_ms: 20_000 },
  });
  scenario.stages[0].streaming_stop_conditions = { stream_stall_seconds: 1 };
  const running = startRun(scenario);
  await callsBegan(mock);
  await pause(1000);
  await mock.faults({ freeze: true });
  const since = performance.now();
  await pause(3500);
  await mock.faults({ freeze: false });
  const end = await endOfRun(running);
  assert.equal(end.code, 4, end.said);
  assert.match(end.result.stop.sentence, /silen|event|stall/i);
  assert.ok(seconds(since) < 20);
});

test('the scope narrows: errors of another tool do not count', async (t) => {
  const mock = await startMock(t);
  const mix = [
    { operation: 'tools_call', tool_name: 'fast_echo', arguments: { message: 'x' } },
    { operation: 'tools_call', tool_name: 'error_tool', arguments: {} },
  ];
  const workload = { think_time: { mode: 'fixed', base_ms: 20 } };
  const scoped = (tool) => ({ stop_conditions: [condition('error_rate', 0.9, { scope: { tool_name: tool } })] });
  const other = await run(baseline({ url: mock.url, vus: 4, ms: 3000, mix, workload, stage: scoped('fast_echo') }));
  assertRan(other);
  const same = await run(baseline({ url: mock.url, vus: 4, ms: 8000, mix, workload, stage: scoped('error_tool') }));
  assert.equal(same.code, 4, same.said);
  assert.equal(same.result.stop.kind, 'stop_condition_met');
});

test('a condition of the whole run looks over the border between stages', async (t) => {
  const mock = await startMock(t);
  const stage = { duration_ms: 1500, load: { target_vus: 4, start_spread_ms: 0 } };
  const end = await run({
    target: { url: mock.url },
    workload: {
      think_time: { mode: 'fixed', base_ms: 50 },
      tools: { templates: [{ tool_name: 'error_tool', arguments: {} }] },
    },
    stages: [
      { ...stage, stage: 'baseline' },
      { ...stage, stage: 'custom', duration_ms: 6000 },
    ],
    safety: { stop_conditions: [condition('error_rate', 0.5, { sustain_windows: 3 })] },
  });
  assert.equal(end.code, 4, end.said);
  // Three seconds, of which the first stage had no more than two.
  assert.equal(end.result.stop.kind, 'stop_condition_met');
  assert.equal(end.result.stop.observed.length, 3);
  const { duration_ms: lasted } = end.result.stages[1].achieved;
  assert.ok(lasted < 3000, `the second stage lasted ${lasted} ms`);
  assert.equal(end.result.conditions[0].stage_id, null);
});
