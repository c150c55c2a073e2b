// SPDX-License-Identifier: MIT
//
// `mcpdrill run --workers N`: what it writes, and what becomes of it by signals, to it, to its processes, to all.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { bucketOf, highestOf, histogramsOf } from './lib/hdr.mjs';
import { startHostile } from './lib/hostile.mjs';
import { assertRan, baseline, endOfRun, run, startRun, writeScenario } from './lib/mcpdrill.mjs';
import { callsBegan, settledStats, startMock } from './lib/mock.mjs';
import { binDir, finished, pause, start, tempDir } from './lib/process.mjs';

const PROCS = ['--workers', '3', '--threads', '1'];
const long = (url, vus = 6) =>
  baseline({ url, vus, ms: 60_000, workload: { think_time: { mode: 'fixed', base_ms: 20 } } });

const childrenOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
const isAlive = (pid) => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
const lines = (dir, name) => readFileSync(join(dir, name), 'utf8').trim().split('\n').map(JSON.parse);

async function until(what, holds) {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 750, `in vain: ${what}`);
    await pause(20);
  }
}

async function allGone(pids) {
  await until(`the end of ${pids}`, () => !pids.some(isAlive));
}

test('the folder has what that of one process has, and each operation names its worker', async (t) => {
  const mock = await startMock(t);
  const scenario = baseline({ url: mock.url, vus: 6, ms: 1500, workload: { think_time: { mode: 'fixed', base_ms: 30 } } });
  const [one, three] = [join(tempDir(), 'one'), join(tempDir(), 'three')];
  assertRan(await run(scenario, { args: ['--out', one] }));
  const end = await run(scenario, { args: ['--out', three, ...PROCS] });
  assertRan(end);
  assert.deepEqual(readdirSync(three).sort(), readdirSync(one).sort());
  assert.deepEqual(JSON.parse(readFileSync(join(three, 'result.json'))), end.result);
  const operations = lines(three, 'ops.ndjson');
  assert.equal(operations.length, end.result.totals.operations_total);
  assert.equal(new Set(operations.map((op) => op.op_id)).size, operations.length);
  for (const worker of end.result.workers) {
    const own = operations.filter((op) => op.worker_id === worker.worker_id);
    assert.ok(own.length > 0);
    assert.equal(own.length, worker.load.started, 'as many as it has in the result');
  }
  const seconds = lines(three, 'windows.ndjson');
  assert.equal(seconds.reduce((all, second) => all + second.ops, 0), end.result.totals.operations_total);
  assert.deepEqual(Object.keys(seconds[0]), Object.keys(lines(one, 'windows.ndjson')[0]));
  const kinds = (dir) => [...new Set(lines(dir, 'events.ndjson').map((event) => event.type))].sort();
  assert.deepEqual(kinds(three), kinds(one));
});

const nsOf = (ms) => Math.round(ms * 1e6);

// {bucket: count} of times in nanoseconds.
function histogramOf(times) {
  const counts = {};
  for (const ns of times) {
    counts[bucketOf(ns)] = (counts[bucketOf(ns)] ?? 0) + 1;
  }
  return counts;
}

// As a worker's row tells it: the upper edge of its bucket, or the maximum if that is smaller.
function quantileOf(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  const value = sorted[Math.max(Math.ceil(share * sorted.length), 1) - 1];
  return Math.min(highestOf(bucketOf(value)), sorted.at(-1)) / 1e6;
}

test('merged histograms are those of the single operations, count by count', async (t) => {
  const mock = await startMock(t);
  const out = join(tempDir(), 'out');
  const scenario = baseline({
    url: mock.url,
    vus: 9,
    ms: 2000,
    mix: [
      { operation: 'tools_call', tool_name: 'random_latency', arguments: { min_ms: 1, max_ms: 40 } },
      { operation: 'ping' },
    ],
    telemetry: { structured_logs: { enabled: true, sample_rate: 1 } },
  });
  const end = await run(scenario, { args: ['--out', out, ...PROCS] });
  assertRan(end);
  const operations = lines(out, 'ops.ndjson');
  assert.equal(operations.length, end.result.totals.operations_total);
  const merged = histogramsOf(readFileSync(join(out, 'histograms.hlog'), 'utf8'));
  for (const kind of ['tools/call', 'ping']) {
    for (const clock of ['service', 'response', 'lag']) {
      const [tag] = Object.keys(merged).filter((one) => one.includes(`:${kind}:`) && one.endsWith(`:${clock}`));
      const own = operations.filter((op) => op.operation === kind).map((op) => nsOf(op[`${clock}_ms`]));
      assert.ok(own.length > 100, `${own.length} of ${kind}`);
      assert.deepEqual(merged[tag], histogramOf(own), tag);
    }
  }
  for (const { worker_id: id, load } of end.result.workers) {
    const own = operations.filter((op) => op.worker_id === id).map((op) => nsOf(op.service_ms));
    for (const [name, share] of [['p50', 0.5], ['p95', 0.95]]) {
      const [told, counted] = [load[`latency_${name}_ms`], quantileOf(own, share)];
      assert.ok(Math.abs(told - counted) < 0.001, `${id} ${name}: ${told} and ${counted} ms`); // told in microseconds
    }
  }
});

test('the result on the standard output, figures of each second on the other one', async (t) => {
  const mock = await startMock(t);
  const file = writeScenario(baseline({ url: mock.url, vus: 6, ms: 2000, workload: { think_time: { mode: 'fixed', base_ms: 20 } } }));
  const running = start(join(binDir, 'mcpdrill'), ['run', file, '--json', '-', ...PROCS]);
  const end = await finished(running, 'run --json -');
  end.result = JSON.parse(end.stdout);
  end.said = end.stderr;
  assertRan(end);
  assert.equal(end.result.workers.length, 3);
  assert.match(end.stderr, /^ +1 s +baseline_running .* 6 VUs /m);
  assert.match(end.stderr, /merge verified: 3\/3 workers/);
});

// A run in a group of its own, as a shell starts it; `interrupt` is what a terminal does for Ctrl-C.
function startInGroup(url) {
  const json = join(tempDir(), 'result.json');
  const args = [join(binDir, 'mcpdrill'), 'run', writeScenario(long(url)), '--json', json, ...PROCS];
  const running = start('setsid', args, { timeoutMs: 60_000 });
  running.json = json;
  running.interrupt = () => process.kill(-running.pid, 'SIGINT');
  return running;
}

test('Ctrl-C: what runs is finished', async (t) => {
  const mock = await startMock(t);
  const running = startInGroup(mock.url);
  await callsBegan(mock, 20);
  const children = childrenOf(running.pid);
  assert.equal(children.length, 3);
  running.interrupt();
  const before = performance.now();
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
  assert.ok(performance.now() - before < 8000);
  assert.equal(end.result.totals.operations_unfinished, 0);
  const stats = await settledStats(mock);
  assert.equal(stats.requests['tools/call'], end.result.totals.operations_total);
  assert.equal(stats.sessions_deleted, stats.sessions_opened);
  await allGone(children);
});

test('Ctrl-C twice: at once', async (t) => {
  const server = await startHostile(t, () => {});
  const running = startInGroup(server.url);
  await until('six calls', () => server.calls() === 6);
  running.interrupt();
  await pause(300);
  const before = performance.now();
  running.interrupt();
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
  assert.ok(performance.now() - before < 8000, 'the drain of the first one may take 30 s');
  assert.equal(end.result.totals.operations_unfinished, 6);
});

// Two users are worth two processes; what became of the others is nothing to the run.
test('processes that the load is not worth end, and the others play', async (t) => {
  const mock = await startMock(t);
  const running = startRun(long(mock.url, 2), { args: ['--workers', '5', '--threads', '1'] });
  await callsBegan(mock, 1);
  await until('two processes', () => childrenOf(running.pid).filter(isAlive).length === 2);
  const before = (await mock.stats()).requests['tools/call'];
  await callsBegan(mock, before + 20);
  running.child.kill('SIGINT');
  const end = await endOfRun(running);
  assert.equal(end.code, 130, end.said);
  assert.equal(end.result.workers.length, 2);
  assert.ok(end.result.integrity.whole, end.result.integrity.line);
});

test('a process that is killed ends the run, which says who it was', async (t) => {
  const mock = await startMock(t);
  const out = join(tempDir(), 'out');
  const running = startRun(long(mock.url), { args: ['--out', out, ...PROCS] });
  await callsBegan(mock, 60);
  const children = childrenOf(running.pid);
  process.kill(children[1], 'SIGKILL');
  const before = performance.now();
  const end = await running.ended;
  assert.ok(performance.now() - before < 12_000);
  assert.equal(end.code, 5, end.stderr);
  const result = JSON.parse(readFileSync(join(out, 'result.json')));
  assert.equal(result.state, 'failed');
  assert.equal(result.stop.kind, 'worker_capacity_lost');
  const lost = result.workers.filter((worker) => !worker.finished);
  assert.equal(lost.length, 1);
  assert.ok(result.stop.reason.includes(lost[0].worker_id), result.stop.reason);
  assert.ok(end.stdout.includes(lost[0].worker_id), end.stdout);
  const [event] = lines(out, 'events.ndjson').filter(({ type }) => type === 'WORKER_CAPACITY_LOST');
  assert.deepEqual(event.payload.worker_ids, [lost[0].worker_id]);
  assert.equal(event.payload.lost_vus, 2);
  await allGone(children);
});

test('the processes of one that is killed do not stay, and their load ends', async (t) => {
  const mock = await startMock(t);
  const running = startRun(long(mock.url), { args: PROCS });
  await callsBegan(mock, 20);
  const children = childrenOf(running.pid);
  assert.equal(children.length, 3);
  running.child.kill('SIGKILL');
  await running.ended;
  await allGone(children);
  const { requests } = await settledStats(mock);
  await pause(300);
  assert.deepEqual((await mock.stats()).requests, requests);
});
