// SPDX-License-Identifier: MIT
//
// Runs without a file: the options make a scenario like any other, which can be saved and run again;
// what is wrong is said about the option. `--expect` with and without a file.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { jsonAnswer, result as answer, startHostile } from './lib/hostile.mjs';
import { assertRan, baseline, checkBooks, mcpdrill, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { tempDir } from './lib/process.mjs';

// Runs `mcpdrill run ARGS --json F` and returns its end with the result.
async function quick(args, options = {}) {
  const json = join(tempDir(), 'result.json');
  const end = await mcpdrill(['run', ...args, '--json', json], { timeoutMs: 60_000, ...options });
  end.said = `${end.stdout}\n${end.stderr}`;
  end.result = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : null;
  if (end.result) {
    checkBooks(end.result);
  }
  return end;
}

// A calm load: a pause after each operation, so that no build is at its own limit.
const calm = ['--think', '5ms', '--duration', '1s'];

test('a tool with arguments', async (t) => {
  const mock = await startMock(t);
  const end = await quick([
    ...['--url', mock.url, '--tool', 'fast_echo', '--args', '{"message": "hi"}', '--vus', '3'],
    ...calm,
  ]);
  assertRan(end);
  assert.equal(end.result.scenario_id, 'quick');
  assert.equal(end.result.stages.length, 1);
  assert.equal(end.result.totals.operations_failed, 0);
  assert.ok(end.result.totals.operations_total > 50);
  const stats = await mock.stats();
  assert.equal(stats.tools.fast_echo, end.result.totals.operations_total);
});

test('nothing but a URL lists the tools; other operations by name', async (t) => {
  const mock = await startMock(t);
  for (const [args, method] of [
    [[], 'tools/list'],
    [['--operation', 'ping'], 'ping'],
    [['--operation', 'tools/list'], 'tools/list'],
    [['--operation', 'resources_list'], 'resources/list'],
  ]) {
    await mock.reset();
    const end = await quick(['--url', mock.url, ...args, ...calm]);
    const { requests } = await mock.stats();
    assert.ok(requests[method] >= end.result.totals.operations_total, `${method}: ${end.said}`);
    assert.ok(end.result.totals.operations_total > 10, method);
    assert.deepEqual(
      end.result.operations.map((row) => row.operation),
      [method],
    );
  }
});

test('a rate: as many operations as are due', async (t) => {
  const mock = await startMock(t);
  const end = await quick([
    ...['--url', mock.url, '--tool', 'fast_echo', '--args', '{"message": "x"}'],
    ...['--rate', '50', '--duration', '2s'],
  ]);
  assertRan(end);
  assert.equal(end.result.totals.due_operations, 100);
  assert.equal(end.result.totals.operations_started, 100);
});

test('arguments from a file', async (t) => {
  const mock = await startMock(t);
  const file = join(tempDir(), 'arguments.json');
  writeFileSync(file, '{"expression": "6*7"}\n');
  const end = await quick(['--url', mock.url, '--tool', 'calculate', '--args', `@${file}`, ...calm]);
  assertRan(end);
  assert.equal(end.result.totals.operations_failed, 0);
});

test('--save: the file means the same run', async (t) => {
  const mock = await startMock(t);
  const file = join(tempDir(), 'saved.json');
  const options = ['--url', mock.url, '--operation', 'ping', '--vus', '2', '--in-flight', '2'];
  const first = await quick([...options, ...calm, '--expect', 'error_rate < 1 %', '--seed', '7', '--save', file]);
  assertRan(first);
  const saved = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(saved.success_criteria, [{ metric: 'error_rate', comparator: '<', threshold: 0.01 }]);
  assert.equal(saved.stages[0].load.target_vus, 2);
  assert.equal(saved.workload.in_flight_per_vu, 2);
  const check = await mcpdrill(['validate', file]);
  assert.equal(check.code, 0, check.stderr);
  const second = await quick([file]);
  assertRan(second);
  assert.equal(second.result.config_hash, first.result.config_hash);
  assert.equal(second.result.seed, 7);
  assert.equal(second.result.scenario_id, 'quick');
});

test('--no-run saves and makes no request', async (t) => {
  const mock = await startMock(t);
  const file = join(tempDir(), 'saved.json');
  const end = await mcpdrill([
    ...['run', '--url', mock.url, '--no-run', '--save', file],
    ...['--set', 'stages[0].stage=soak', '--set', 'safety.hard_caps.max_errors=3'],
  ]);
  assert.equal(end.code, 0, end.stderr);
  const saved = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(saved.stages[0].stage, 'soak');
  assert.equal(saved.safety.hard_caps.max_errors, 3);
  const shown = await mcpdrill(['run', '--url', mock.url, '--no-run', '--save', '-', '--vus', '4']);
  assert.equal(JSON.parse(shown.stdout).stages[0].load.target_vus, 4);
  assert.equal((await mock.stats()).http_requests, 0);
});

test('headers are sent, and a secret by name stays out of what is saved', async (t) => {
  const seen = [];
  const target = await startHostile(
    t,
    (socket, message) => socket.write(jsonAnswer(answer(message.id))),
    (socket, request) => {
      seen.push(request.text);
      return false;
    },
  );
  const file = join(tempDir(), 'saved.json');
  const end = await quick(
    [
      ...['--url', target.url, '--tool', 'fast_echo', '--args', '{"message": "x"}', ...calm, '--save', file],
      ...['--header', 'X-Team: search', '--header', 'Authorization:Bearer ${env:QUICK_TEST_TOKEN}'],
    ],
    { env: { QUICK_TEST_TOKEN: 'not-for-files' } },
  );
  assert.ok(end.result.totals.operations_total > 0, end.said);
  const posts = seen.filter((text) => text.startsWith('POST'));
  assert.ok(posts.length > 0);
  for (const text of posts) {
    assert.match(text, /^x-team: search\r$/im);
    assert.match(text, /^authorization: Bearer not-for-files\r$/im);
  }
  const saved = readFileSync(file, 'utf8');
  assert.ok(!saved.includes('not-for-files'));
  assert.deepEqual(JSON.parse(saved).environment.variables, ['QUICK_TEST_TOKEN']);
  const unset = await mcpdrill(['run', file]);
  assert.equal(unset.code, 2);
  assert.match(unset.stderr, /QUICK_TEST_TOKEN/);
});

test('session modes', async (t) => {
  const mock = await startMock(t);
  for (const mode of ['reuse', 'pool', 'per_request', 'churn']) {
    await mock.reset();
    const end = await quick(['--url', mock.url, '--operation', 'ping', '--sessions', mode, ...calm]);
    assert.equal(end.result.totals.operations_failed, 0, `${mode}: ${end.said}`);
    const { sessions_opened: opened } = await mock.stats();
    const each = mode === 'per_request' || mode === 'churn';
    assert.ok(each ? opened >= end.result.totals.operations_total : opened <= 12, `${mode}: ${opened} sessions`);
  }
});

test('--expect decides, without a file and with one', async (t) => {
  const mock = await startMock(t);
  const file = writeScenario({
    ...baseline({ url: mock.url, ms: 1000, workload: { think_time: { base_ms: 5 } } }),
    success_criteria: [{ metric: 'error_rate', threshold: 0.5, comparator: '<' }],
  });
  const ways = [['--url', mock.url, '--operation', 'ping', ...calm], [file]];
  for (const [i, way] of ways.entries()) {
    const met = await quick([...way, '--expect', 'operations_total > 10', '--expect', 'error_rate<=0']);
    assertRan(met);
    const states = (end) => end.result.criteria.slice(i).map((one) => one.state);
    assert.deepEqual(states(met), ['met', 'met']);
    const missed = await quick([...way, '--expect', 'operations_total > 10', '--expect', 'latency_mean_ms < 0']);
    assertRan(missed, 4);
    assert.deepEqual(states(missed), ['met', 'failed']);
    assert.match(missed.stdout, /latency_mean_ms/);
    const shown = await mcpdrill(['explain', ...way, '--expect', 'error_rate{stage=baseline} < 1 %']);
    assert.equal(shown.code, 0, shown.stderr);
    const criteria = JSON.parse(shown.stdout).success_criteria;
    assert.equal(criteria.length, 1 + i, 'those of the file come first');
    assert.equal(criteria.at(-1).threshold, 0.01);
    assert.equal(criteria.at(-1).scope.stage, 'baseline');
  }
});

test('--junit', async (t) => {
  const mock = await startMock(t);
  const file = join(tempDir(), 'junit.xml');
  const end = await quick([
    ...['--url', mock.url, '--operation', 'ping', ...calm, '--junit', file],
    ...['--expect', 'latency_mean_ms < 0'],
  ]);
  assertRan(end, 4);
  const xml = readFileSync(file, 'utf8');
  assert.match(xml, /^<\?xml /);
  assert.match(xml, /<testcase [^>]*latency_mean_ms/);
  assert.match(xml, /<failure/);
});

// [arguments, what has to be said]; no run, exit code 2.
const wrong = [
  [[], /a FILE or --url is missing/],
  [['--vus', '3'], /a FILE or --url is missing/],
  [['FILE', '--url', 'http://localhost:1'], /--set 'target\.url=URL'/],
  [['FILE', '--duration', '3s'], /--duration is for runs without a FILE/],
  [['FILE', '--save', 'other.json'], /--save is for runs without a FILE/],
  [['FILE', '--expect', 'error_rat < 1 %'], /--expect: error .*error_rate/s],
  [['FILE', '--expect', 'error_rate'], /--expect 'error_rate'/],
  [['FILE', '--expect', 'error_rate < 1', '--set', 'success_criteria=[]'], /--expect adds to success_criteria/],
  [['--url', 'URL', '--duration', '30'], /--duration 30: a time with its unit/],
  [['--url', 'URL', '--duration', '10ms'], /^--duration: error DURATION_INVALID/m],
  [['--url', 'URL', '--rate', '-1'], /--rate -1: operations per second/],
  [['--url', 'URL', '--vus', '0'], /--vus 0: a whole number/],
  [['--url', 'URL', '--vus', '5', '--set', 'safety.hard_caps.max_in_flight_per_vu=0'], /from --set safety/],
  [['--url', 'URL', '--in-flight', '5000'], /^--in-flight: error/m],
  [['--url', 'URL', '--operation', 'pong'], /^--operation: error .*ping/ms],
  [['--url', 'URL', '--operation', 'tools_call'], /--operation tools_call needs --tool/],
  [['--url', 'URL', '--tool', 'a', '--prompt', 'b'], /--tool and --prompt: give one of the two/],
  [['--url', 'URL', '--tool', 'a', '--args', '{'], /--args \{: /],
  [['--url', 'URL', '--sessions', 'all'], /^--sessions: error/m],
  [['--url', 'URL', '--header', 'Mcp-Session-Id: 1'], /^--header: error INVALID_HEADER/m],
  [['--url', 'ftp://localhost'], /^--url: error/m],
  [['--url', 'http://user:pass@localhost'], /^--url: error/m],
  [['--url', 'URL', '--expect', 'no_such_metric > 1'], /^--expect: error/m],
  [['--url', 'URL', '--set', 'stages[0].load.target_vus=-1'], /from --set stages/],
  [['--url', 'URL', '--junit', '/nowhere/at/all/x.xml'], /nowhere/],
  [['--url', 'URL', '--save', '/nowhere/at/all/x.json'], /nowhere/],
];

test('what is wrong is said about the option, and nothing is sent', async (t) => {
  const mock = await startMock(t);
  const file = writeScenario(baseline({ url: mock.url }));
  for (const [args, pattern] of wrong) {
    const words = args.map((word) => (word === 'FILE' ? file : word === 'URL' ? mock.url : word));
    const end = await mcpdrill(['run', ...words], { timeoutMs: 10_000 });
    assert.equal(end.code, 2, `${args.join(' ')}\n${end.stdout}${end.stderr}`);
    assert.match(end.stderr, pattern, args.join(' '));
    if (!args.includes('FILE')) {
      assert.doesNotMatch(end.stderr, /:\d+:\d+: /, 'no line of a text that nobody has written');
    }
  }
  assert.equal((await mock.stats()).http_requests, 0);
});
