// SPDX-License-Identifier: MIT
//
// What goes into calls and comes out of them: levels, placeholders, data feeds, payloads, checks, metrics
// of the scenario, criteria; and the run without a file. Seen from the server.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { between, crossing, historyOf, median } from './lib/history.mjs';
import { assertRan, baseline, errorCounts, mcpdrill, run } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { tempDir } from './lib/process.mjs';
import { echoScenario, startRecorder } from './lib/recorder.mjs';

const unique = (values) => [...new Set(values)];
const argumentsOf = (recorder) => recorder.calls.map((call) => call.arguments);

// ---- levels ---------------------------------------------------------------------------------------

test('stages up, down, at once and in a line: the sessions that the server has open', async (t) => {
  const mock = await startMock(t);
  const spread = { start_spread_ms: 0 };
  const end = await run({
    target: { url: mock.url },
    workload: {
      think_time: { mode: 'fixed', base_ms: 20 },
      tools: { templates: [{ tool_name: 'fast_echo', arguments: { message: 'x' } }] },
    },
    stages: [
      { stage: 'baseline', duration_ms: 1000, load: { target_vus: 4, ...spread } },
      {
        stage: 'ramp',
        duration_ms: 3000,
        load: { target_vus: 10 },
        ramp: { step_every_ms: 1000, step_vus: 3, hold_ms: 1000 },
      },
      { stage: 'spike', duration_ms: 1000, load: { target_vus: 30, ...spread } },
      {
        stage: 'custom',
        duration_ms: 3000,
        load: { target_vus: 5 },
        ramp: { mode: 'linear', hold_ms: 1000 },
      },
    ],
  });
  assertRan(end);
  assert.equal(end.result.totals.operations_failed, 0);
  const history = await historyOf(mock);
  const began = crossing(history, 'sessions_open', 3);
  const levels = [
    [0, 1000, 4],
    [1000, 2000, 4],
    [2000, 3000, 7],
    [3000, 4000, 10],
    [4000, 5000, 30],
    [7000, 8000, 5],
  ];
  for (const [from, to, vus] of levels) {
    const seen = between(history, 'sessions_open', began + from + 200, began + to - 100);
    assert.ok(Math.abs(median(seen) - vus) <= 1, `${from}..${to} ms: ${seen}, not ${vus}`);
  }
  // On its way down in a line: half way after half of the time.
  const middle = between(history, 'sessions_open', began + 5900, began + 6100);
  assert.ok(Math.abs(median(middle) - 17.5) <= 3, `half way down: ${middle}`);
});

// ---- what goes in -----------------------------------------------------------------------------------

test('placeholders in arguments and headers', async (t) => {
  const recorder = await startRecorder(t);
  const before = Date.now();
  const end = await run(
    echoScenario({
      url: recorder.url,
      arguments: {
        run: '${run_id}',
        execution: '${execution_id}',
        scenario: '${scenario_id}',
        stage: '${stage_id}',
        vu: 'vu ${vu_id}',
        seq: '${op_seq}',
        uuid: '${uuid}',
        number: '${random_int:10:20}',
        choice: '${random_choice:red|green|blue}',
        now: '${timestamp_ms}',
        env: '<${env:MCPDRILL_E2E_VALUE}>',
        escaped: '$${vu_id}',
        nested: { list: ['${vu_id}', 7, null, true] },
      },
      environment: { variables: ['MCPDRILL_E2E_VALUE'] },
    }),
    { env: { MCPDRILL_E2E_VALUE: 'say "hi" \\ ü' } },
  );
  assertRan(end);
  const all = argumentsOf(recorder);
  assert.ok(all.length > 50, `${all.length} calls`);
  const [first] = all;
  assert.equal(first.run, end.result.run_id);
  assert.equal(first.execution, end.result.execution_id);
  assert.equal(first.scenario, 'features');
  assert.equal(first.stage, 'the-stage');
  assert.equal(first.env, '<say "hi" \\ ü>');
  assert.equal(first.escaped, '${vu_id}');
  assert.equal(unique(all.map(({ vu }) => vu)).length, 2);
  assert.ok(all.every(({ vu, nested }) => vu === `vu ${nested.list[0]}`));
  assert.deepEqual(first.nested.list.slice(1), [7, null, true]);
  assert.equal(unique(all.map(({ uuid }) => uuid)).length, all.length);
  assert.match(first.uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const numbers = all.map(({ number }) => Number(number));
  assert.ok(numbers.every((number) => Number.isInteger(number) && number >= 10 && number <= 20));
  assert.ok(unique(numbers).length >= 8, `${unique(numbers)}`);
  assert.deepEqual(unique(all.map(({ choice }) => choice)).sort(), ['blue', 'green', 'red']);
  assert.ok(all.every(({ now }) => Number(now) >= before - 1 && Number(now) <= Date.now() + 1));
  for (const vu of unique(all.map((one) => one.vu))) {
    const sequence = all.filter((one) => one.vu === vu).map(({ seq }) => Number(seq));
    assert.ok(sequence.every((seq, i) => i === 0 || seq === sequence[i - 1] + 1), `${sequence}`);
  }
});

test('the same seed sends the same things', async (t) => {
  const runs = [];
  for (const seed of [7, 7, 8]) {
    const recorder = await startRecorder(t);
    const end = await run(
      echoScenario({
        url: recorder.url,
        vus: 1,
        arguments: { number: '${random_int:0:1000000}', choice: '${random_choice:a|b|c|d}' },
        workload: { seed },
      }),
    );
    assertRan(end);
    runs.push(argumentsOf(recorder).slice(0, 20));
  }
  assert.deepEqual(runs[0], runs[1]);
  assert.notDeepEqual(runs[0], runs[2]);
});

function feedScenario(recorder, file, mode, args) {
  return echoScenario({
    url: recorder.url,
    vus: 3,
    arguments: args,
    workload: { data: [{ name: 'people', path: file, mode }] },
  });
}

const csv = 'name,age,"note, long"\nAnn,31,"says ""hi"""\nBob,42,\r\nChloé,27,"two\nlines"\nDan,55,x\n';

test('a data feed, row by row', async (t) => {
  const recorder = await startRecorder(t);
  const file = join(tempDir(), 'people.csv');
  writeFileSync(file, csv);
  const end = await run(
    feedScenario(recorder, file, 'sequential', {
      name: '${data:people.name}',
      text: '${data:people.name} is ${data:people.age}: ${data:people.note, long}',
    }),
  );
  assertRan(end);
  const rows = { Ann: 'Ann is 31: says "hi"', Bob: 'Bob is 42: ', Chloé: 'Chloé is 27: two\nlines', Dan: 'Dan is 55: x' };
  const counts = {};
  for (const { name, text } of argumentsOf(recorder)) {
    assert.equal(text, rows[name], 'both fields are of the same row');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  assert.deepEqual(Object.keys(counts).sort(), Object.keys(rows).sort());
});

test('a data feed in JSON lines, at random, and each VU its own', async (t) => {
  const file = join(tempDir(), 'people.jsonl');
  writeFileSync(file, Array.from({ length: 12 }, (_, i) => JSON.stringify({ name: `n${i}`, age: i })).join('\n'));
  const random = await startRecorder(t);
  const first = await run(feedScenario(random, file, 'random', { name: '${data:people.name}' }));
  assertRan(first);
  assert.ok(unique(argumentsOf(random).map(({ name }) => name)).length >= 10);
  const own = await startRecorder(t);
  const args = { name: '${data:people.name}', vu: '${vu_id}', age: '${data:people.age}' };
  const second = await run(feedScenario(own, file, 'unique', args));
  assertRan(second);
  const byVu = new Map();
  for (const { vu, name, age } of argumentsOf(own)) {
    assert.equal(name, `n${age}`);
    byVu.set(vu, unique([...(byVu.get(vu) ?? []), name]));
  }
  assert.equal(byVu.size, 3);
  const names = [...byVu.values()].flat();
  assert.equal(unique(names).length, names.length, `no row is used by two VUs: ${JSON.stringify([...byVu])}`);
});

test('payloads of a size', async (t) => {
  const recorder = await startRecorder(t);
  const end = await run(
    echoScenario({
      url: recorder.url,
      arguments: { text: '${payload:text}', json: '${payload:json}', binary: '${payload:binary}' },
      workload: {
        payload_profiles: [
          { profile_id: 'text', kind: 'text', size_bytes: { fixed: 5000 } },
          { profile_id: 'json', kind: 'json', size_bytes: { distribution: 'uniform', min: 100, max: 200 } },
          { profile_id: 'binary', kind: 'binary', size_bytes: { fixed: 300 } },
        ],
      },
    }),
  );
  assertRan(end);
  for (const { text, json, binary } of argumentsOf(recorder)) {
    assert.equal(text.length, 5000);
    assert.match(text, /^[ -~]*$/);
    assert.equal(Buffer.from(binary, 'base64').length, 300);
    const object = typeof json === 'string' ? json : JSON.stringify(json);
    assert.ok(object.length >= 100 && object.length <= 200, `${object.length} bytes`);
    JSON.parse(object);
  }
});

test('templates one after the other, or always the same', async (t) => {
  for (const [selection, expected] of [
    [{ mode: 'round_robin' }, (names) => names.every((name, i) => name === 'abc'[i % 3])],
    [{ mode: 'single', single_template_id: 'b' }, (names) => names.every((name) => name === 'b')],
  ]) {
    const recorder = await startRecorder(t);
    const scenario = echoScenario({ url: recorder.url, vus: 1, arguments: {} });
    const templates = ['a', 'b', 'c'].map((id) => ({ template_id: id, tool_name: 'echo', arguments: { id } }));
    scenario.workload.tools = { selection, templates };
    const end = await run(scenario);
    assertRan(end);
    const names = argumentsOf(recorder).map(({ id }) => id);
    assert.ok(names.length > 20 && expected(names), `${selection.mode}: ${names}`);
  }
});

// ---- what comes out ---------------------------------------------------------------------------------

test('checks: an answer that fails one is a failed operation', async (t) => {
  const recorder = await startRecorder(t);
  const good = [
    { id: 'text', pointer: '/content/0/type', equals: 'text' },
    { id: 'name', pointer: '/structuredContent/name', matches: '^ec' },
    { id: 'there', pointer: '/structuredContent/call', exists: true },
    { id: 'not-there', pointer: '/isError', exists: false },
    { id: 'range', pointer: '/structuredContent/call', min: 1, max: 1e6 },
    { id: 'size', max_bytes: 10_000 },
  ];
  const scenario = (checks) =>
    echoScenario({ url: recorder.url, arguments: { message: 'hello' }, template: { checks } });
  const passed = await run(scenario(good));
  assertRan(passed);
  assert.equal(passed.result.totals.operations_failed, 0);
  const wrong = [
    { id: 'wrong', pointer: '/content/0/type', equals: 'image' },
    { id: 'wrong', pointer: '/structuredContent/name', matches: '^x' },
    { id: 'wrong', pointer: '/structuredContent/call', exists: false },
    { id: 'wrong', pointer: '/structuredContent/call', max: 0 },
    { id: 'wrong', max_bytes: 20 },
  ];
  for (const check of wrong) {
    const end = await run(scenario([...good, check]));
    const { totals } = end.result;
    assert.equal(totals.operations_failed, totals.operations_total, JSON.stringify(check));
    assert.ok(totals.operations_total > 0);
    assert.equal(totals.check_failure_rate, 1);
    assert.match(Object.keys(errorCounts(end.result))[0], /^check_failed\/CHECK_FAILED\//);
    assert.match(end.result.errors[0].sample, /wrong/, 'the check is named');
  }
});

test('metrics of the scenario, as criteria too', async (t) => {
  const recorder = await startRecorder(t);
  const scenario = echoScenario({
    url: recorder.url,
    arguments: { message: 'hello' },
    workload: {
      metrics: [
        { name: 'last_call', pointer: '/structuredContent/call', kind: 'gauge' },
        { name: 'bytes', pointer: '/structuredContent/length', kind: 'counter' },
        { name: 'length', pointer: '/structuredContent/length', kind: 'trend' },
      ],
    },
  });
  const size = JSON.stringify({ message: 'hello' }).length;
  const good = await run(scenario, {
    args: ['--expect', `custom.length.p95 <= ${size + 1}`, '--expect', 'custom.bytes > 100', '--expect', 'custom.last_call > 1'],
  });
  assertRan(good);
  const text = JSON.stringify(good.result);
  assert.match(text, /custom\.bytes|"bytes"/);
  const bad = await run(scenario, { args: ['--expect', 'custom.length.p95 < 3'] });
  assertRan(bad, 4);
  assert.equal(bad.result.criteria[0].state, 'failed');
});

test('success criteria: judged at the end, exit code 4, first in the summary', async (t) => {
  const mock = await startMock(t);
  const junit = join(tempDir(), 'junit.xml');
  const scenario = baseline({
    url: mock.url,
    ms: 1000,
    workload: { think_time: { mode: 'fixed', base_ms: 10 } },
    success_criteria: [
      { id: 'no-errors', metric: 'error_rate', comparator: '<=', threshold: 0 },
      { id: 'impossible', metric: 'latency_p50_ms', comparator: '<', threshold: 0.000001 },
    ],
  });
  const end = await run(scenario, { args: ['--junit', junit] });
  assertRan(end, 4);
  assert.equal(end.result.verdict, end.code === 4 ? 'failed' : 'invalid');
  assert.equal(end.result.state, 'completed', 'the run itself came to its end');
  assert.match(end.stdout, /latency_p50_ms < .*FAILED/);
  const xml = readFileSync(junit, 'utf8');
  assert.match(xml, /<testsuite/);
  assert.match(xml, /impossible[\s\S]*<failure/);
  // A figure that nobody can trust is one more.
  assert.equal((xml.match(/<failure/g) ?? []).length, end.code === 4 ? 1 : 2);
  scenario.success_criteria.pop();
  const passed = await run(scenario);
  assertRan(passed);
});

test('a criterion without a sample fails, and says so', async (t) => {
  const mock = await startMock(t);
  const end = await run(baseline({ url: mock.url, ms: 1000 }), { args: ['--expect', 'event_gap_p95_ms < 1000'] });
  assertRan(end, 4);
  assert.match(end.stdout, /no (sample|value)|without|n\/a/i);
});

test('a metric that does not exist is refused, with the nearest name', async (t) => {
  const mock = await startMock(t);
  const end = await run(baseline({ url: mock.url, ms: 1000 }), { args: ['--expect', 'eror_rate < 0.1'] });
  assert.equal(end.code, 2, end.said);
  assert.match(end.stderr, /error_rate/);
});

test('--out has everything that a later look needs', async (t) => {
  const mock = await startMock(t);
  const out = join(tempDir(), 'out');
  mkdirSync(out);
  const end = await run(baseline({ url: mock.url, ms: 1200 }), { args: ['--out', out] });
  assertRan(end);
  const files = readdirSync(out);
  for (const name of ['result.json', 'events.ndjson', 'windows.ndjson']) {
    assert.ok(files.includes(name), `${name} in ${files}`);
  }
  assert.ok(files.some((name) => /hist|hdr|hgrm|hlog/i.test(name)), `histograms in ${files}`);
  const again = await mcpdrill(['report', out]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /tools\/call/);
});

// ---- without a file ---------------------------------------------------------------------------------

test('quick mode: a tool, a rate, an expectation, and the file that it means', async (t) => {
  const mock = await startMock(t);
  const folder = tempDir();
  const saved = join(folder, 'saved.json');
  const json = join(folder, 'result.json');
  const quick = ['run', '--url', mock.url, '--tool', 'fast_echo', '--args', '{"message":"hi"}'];
  const end = await mcpdrill([
    ...quick,
    ...['--rate', '100', '--duration', '2s', '--expect', 'error_rate <= 0', '--save', saved, '--json', json],
  ]);
  const result = JSON.parse(readFileSync(json, 'utf8'));
  assertRan({ ...end, result, said: end.stdout + end.stderr });
  assert.equal((await mock.stats()).tools.fast_echo, 200);
  assert.equal(result.totals.operations_total, 200);
  const valid = await mcpdrill(['validate', saved]);
  assert.equal(valid.code, 0, `${valid.stdout}\n${valid.stderr}`);
  await mock.reset();
  const same = await run(saved);
  assertRan(same);
  assert.equal((await mock.stats()).tools.fast_echo, 200);
});

test('quick mode: VUs, ping, a header, and what is wrong', async (t) => {
  const mock = await startMock(t);
  const json = join(tempDir(), 'result.json');
  const ping = await mcpdrill([
    ...['run', '--url', mock.url, '--operation', 'ping', '--vus', '3', '--duration', '1s'],
    ...['--header', 'X-Test: 1', '--json', json],
  ]);
  assertRan({ ...ping, result: JSON.parse(readFileSync(json, 'utf8')), said: ping.stdout + ping.stderr });
  assert.ok((await mock.stats()).requests.ping > 10);
  const late = await mcpdrill(
    ['run', '--url', mock.url, '--duration', '1s', '--json', json, '--expect', 'latency_p99_ms < 0.000001'],
  );
  assertRan({ ...late, result: JSON.parse(readFileSync(json, 'utf8')), said: late.stdout + late.stderr }, 4);
  assert.match(late.stdout, /latency_p99_ms < .*FAILED/);
  const wrong = await mcpdrill(['run', '--url', mock.url, '--tool', 'fast_echo', '--args', '{"message":']);
  assert.equal(wrong.code, 2, wrong.stdout);
  assert.ok(wrong.stderr.length > 20);
  const nothing = await mcpdrill(['run']);
  assert.equal(nothing.code, 2);
  assert.ok(!existsSync('saved.json'));
});
