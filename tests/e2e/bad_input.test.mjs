// SPDX-License-Identifier: MIT
//
// A scenario file or a command line that is wrong: exit code 2, one clear message for each problem,
// all of them at once, and no traffic.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startMock } from './lib/mock.mjs';
import { mcpdrill, writeScenario } from './lib/mcpdrill.mjs';
import { tempDir } from './lib/process.mjs';

const good = () => ({
  target: { url: 'http://localhost:9000' },
  stages: [{ stage: 'baseline', duration_ms: 10000, load: { target_vus: 5 } }],
});

async function rejected(scenario, ...patterns) {
  const file = writeScenario(scenario);
  const outputs = [];
  for (const command of ['validate', 'run']) {
    const end = await mcpdrill([command, file], { timeoutMs: 10_000 });
    const said = `${end.stdout}\n${end.stderr}`;
    assert.equal(end.code, 2, `${command}: ${said}`);
    for (const pattern of patterns) {
      assert.match(said, pattern);
    }
    outputs.push(said);
  }
  return outputs[0];
}

test('the smallest file is valid', async () => {
  const end = await mcpdrill(['validate', writeScenario(good())]);
  assert.equal(end.code, 0, end.stderr);
});

test('broken JSON: line and column', async () => {
  await rejected('{\n  "target": {"url": "http://localhost:9000"},\n  "stages": [}\n', /:3:1\d|line 3/);
});

test('an empty file, a file that is no object, bytes that are no UTF-8', async () => {
  await rejected('', /./);
  await rejected('[]', /object/);
  await rejected('42', /object/);
  const file = join(tempDir(), 'latin1.json');
  writeFileSync(file, Buffer.from('{"target": {"url": "http://localhost/\xe9"}, "stages": []}', 'latin1'));
  const end = await mcpdrill(['validate', file]);
  assert.equal(end.code, 2);
});

test('an unknown field: its place and the nearest known one', async () => {
  const scenario = good();
  scenario.stages[0].duration = 5;
  await rejected(scenario, /UNKNOWN_FIELD/, /\/stages\/0\/duration/, /duration_ms/);
});

test('a duplicate key', async () => {
  await rejected(
    '{"target": {"url": "http://a:1", "url": "http://b:1"}, "stages": [{"stage": "baseline"}]}',
    /DUPLICATE_KEY/,
  );
});

test('wrong types and values out of range, all at once and in the order of the file', async () => {
  const scenario = good();
  scenario.target.timeouts = { connect_timeout_ms: 'soon', request_timeout_ms: 0 };
  scenario.workload = { in_flight_per_vu: 1.5, think_time: { mode: 'sometimes' } };
  scenario.stages[0].load.target_vus = -3;
  const said = await rejected(
    scenario,
    /\/target\/timeouts\/connect_timeout_ms/,
    /\/target\/timeouts\/request_timeout_ms/,
    /\/workload\/in_flight_per_vu/,
    /\/workload\/think_time\/mode/,
    /\/stages\/0\/load\/target_vus/,
    /fixed/,
  );
  const places = [
    'connect_timeout_ms',
    'request_timeout_ms',
    'target_vus',
    'in_flight_per_vu',
    'think_time/mode',
  ].map((name) => said.indexOf(name));
  assert.deepEqual(
    places,
    [...places].sort((a, b) => a - b),
  );
});

test('an unknown metric in a stop condition lists the known ones', async () => {
  const scenario = good();
  scenario.stages[0].stop_conditions = [{ metric: 'latency_p98_ms', threshold: 5 }];
  await rejected(scenario, /UNKNOWN_METRIC/, /latency_p98_ms/, /latency_p99_ms/);
});

test('what is missing is named', async () => {
  await rejected({ stages: [{ stage: 'baseline' }] }, /\/target/);
  await rejected({ target: { url: 'http://localhost' } }, /stages/i);
  await rejected(
    { ...good(), workload: { operation_mix: [{ operation: 'tools_call' }] } },
    /TOOLS_CALL_REQUIRES_TEMPLATES/,
  );
  await rejected({ ...good(), workload: { operation_mix: [{ operation: 'resources_read' }] } }, /uri/);
});

test('what this version lacks is refused where the run would mean something else', async () => {
  const url = 'http://localhost:9000';
  await rejected({ ...good(), target: { url: 'https://localhost:9000' } }, /NOT_SUPPORTED|https/);
  await rejected({ ...good(), target: { url, auth: { type: 'plugin' } } }, /NOT_SUPPORTED at \/target\/auth\/type/);
  await rejected(
    { ...good(), target: { url, auth: { bearer_token_ref: 'env:TOKEN' } } },
    /NOT_SUPPORTED at \/target\/auth\/bearer_token_ref/,
  );
  await rejected(
    { ...good(), server_telemetry: { pair_key: 'lab', require_agent: true } },
    /NOT_SUPPORTED at \/server_telemetry\/require_agent/,
  );
});

test('what this version lacks, and the figures do not need, is accepted and said', async () => {
  const accepted = async (more, place, words) => {
    const end = await mcpdrill(['validate', '--json', writeScenario({ ...good(), ...more })]);
    assert.equal(end.code, 0, end.stdout + end.stderr);
    const found = JSON.parse(end.stdout).warnings.filter(({ code }) => code === 'NOT_SUPPORTED');
    assert.deepEqual(found.map((one) => one.json_pointer), [place]);
    assert.match(found[0].message, words);
  };
  await accepted({ reporting: { formats: ['json', 'html'] } }, '/reporting/formats/1', /no report in HTML/);
  await accepted({ reporting: { retention: { metrics_days: 1 } } }, '/reporting/retention/metrics_days', /deleted/);
  await accepted({ telemetry: { traces: { enabled: true } } }, '/telemetry/traces/enabled', /no traceparent/);
  await accepted({ server_telemetry: { pair_key: 'lab' } }, '/server_telemetry', /host is not measured/);
  await accepted(
    { safety: { worker_failure_policy: 'best_effort' } },
    '/safety/worker_failure_policy',
    /a lost worker ends the run/,
  );
  await accepted({ safety: { analysis_timeout_ms: 60000 } }, '/safety/analysis_timeout_ms', /no time limit/);
});

test('what is switched off is not mentioned', async () => {
  const end = await mcpdrill([
    'validate',
    '--json',
    writeScenario({
      ...good(),
      reporting: {
        formats: ['json'],
        retention: { raw_logs_days: 7, metrics_days: 30, reports_days: 90 },
        include: { store_raw_logs: true, store_metrics_snapshot: true, store_event_log: true },
        redaction: { redact_headers: ['Authorization'] },
      },
      telemetry: { traces: { enabled: false, propagation: { accept_incoming_traceparent: true } } },
      server_telemetry: { enabled: false, pair_key: 'lab', require_agent: true },
      safety: { worker_failure_policy: 'fail_fast', analysis_timeout_ms: 1800000, emergency_stop_enabled: true },
    }),
  ]);
  assert.equal(end.code, 0, end.stdout);
  assert.ok(!end.stdout.includes('NOT_SUPPORTED'), end.stdout);
});

test('--policy public: addresses as a service that others may reach checks them', async () => {
  const check = async (url, policy, more = {}) => {
    const file = writeScenario({ ...good(), target: { url }, ...more });
    const end = await mcpdrill(['validate', '--json', ...policy, file]);
    return { code: end.code, codes: (JSON.parse(end.stdout).errors ?? []).map(({ code }) => code) };
  };
  const listed = { environment: { allowlist: { allowed_targets: [{ kind: 'suffix', value: '.example.com' }] } } };
  const open = ['--policy', 'public'];
  for (const url of ['http://10.0.0.1/mcp', 'http://localhost:9000', 'http://a.example.com']) {
    assert.deepEqual(await check(url, []), { code: 0, codes: [] });
    assert.deepEqual(await check(url, ['--policy', 'local']), { code: 0, codes: [] });
  }
  const missing = 'ALLOWLIST_REQUIRED';
  assert.deepEqual((await check('http://a.example.com', open)).codes, [missing]);
  assert.deepEqual(await check('http://a.example.com', open, listed), { code: 0, codes: [] });
  for (const [url, ...codes] of [
    ['http://10.0.0.1/mcp', 'IP_LITERAL_BLOCKED', 'PRIVATE_ADDRESS_BLOCKED'],
    ['http://localhost:9000', 'LOCALHOST_BLOCKED'],
    ['http://[fd00::1]/', 'IP_LITERAL_BLOCKED', 'UNIQUE_LOCAL_BLOCKED'],
  ]) {
    const found = await check(url, open);
    assert.equal(found.code, 2);
    assert.deepEqual(found.codes.sort(), [missing, ...codes].sort());
  }
  const end = await mcpdrill(['validate', '--policy', 'pubic', writeScenario(good())]);
  assert.equal(end.code, 2);
  assert.match(end.stderr, /expected local or public/);
});

test('URLs that are none, and targets outside the allowlist', async () => {
  await rejected({ ...good(), target: { url: 'ftp://localhost' } }, /INVALID_URL_SCHEME|http/);
  await rejected({ ...good(), target: { url: 'http://user:secret@localhost' } }, /USERINFO_BLOCKED/);
  await rejected({ ...good(), environment: { allowlist: { allowed_targets: [] } } }, /ALLOWLIST_VIOLATION/);
  await rejected(
    {
      ...good(),
      environment: { allowlist: { allowed_targets: [{ kind: 'exact', value: 'http://elsewhere' }] } },
    },
    /ALLOWLIST_VIOLATION/,
  );
});

test('a secret in a rejected URL is not repeated', async () => {
  const said = await rejected(
    { ...good(), target: { url: 'http://user:hunter2@localhost' } },
    /USERINFO_BLOCKED/,
  );
  assert.doesNotMatch(said, /hunter2/);
});

test('very deep and very large files end in a message', async () => {
  await rejected('['.repeat(100_000), /./);
  await rejected(`{"x-big": "${'a'.repeat(11 * 1024 * 1024)}"}`, /10 MB|large|limit/i);
  const stages = Array.from({ length: 60 }, () => ({ stage: 'baseline', duration_ms: 1000 }));
  await rejected({ ...good(), stages }, /stages/);
});

test('files that are not there, or no files', async () => {
  for (const path of [join(tempDir(), 'nothing.json'), tempDir()]) {
    for (const command of ['run', 'validate', 'explain']) {
      const end = await mcpdrill([command, path]);
      assert.equal(end.code, 2, `${command} ${path}`);
      assert.ok(end.stderr.includes(path), `${command}: ${end.stderr}`);
    }
  }
});

test('--set: a path that leads nowhere, a value of the wrong type, no "="', async () => {
  const file = writeScenario(good());
  const cases = [
    ['stages[0].load.target_vu=5', /target_vus/],
    ['stages[7].duration_ms=1000', /stages/],
    ['stages[0].duration_ms=soon', /duration_ms/],
    ['stages[0].duration_ms', /=/],
    ['', /=|--set/],
    ['stages[0=1', /stages/],
  ];
  for (const [value, pattern] of cases) {
    for (const command of ['run', 'validate']) {
      const end = await mcpdrill([command, file, '--set', value], { timeoutMs: 5000 });
      assert.equal(end.code, 2, `${command} --set ${value}: ${end.stdout}${end.stderr}`);
      assert.match(end.stdout + end.stderr, pattern);
    }
  }
});

test('--set changes the effective config, and explain shows it', async () => {
  const file = writeScenario(good());
  const end = await mcpdrill([
    'explain',
    file,
    '--set',
    'stages[0].load.target_vus=20',
    '--set=target.timeouts.connect_timeout_ms=1234',
  ]);
  assert.equal(end.code, 0, end.stderr);
  assert.match(end.stdout, /target_vus\D+20\b/);
  assert.match(end.stdout, /connect_timeout_ms\D+1234\b/);
  assert.match(end.stdout, /request_timeout_ms\D+30000\b/, 'defaults are shown');
});

test('unknown commands and flags: the nearest one is named', async () => {
  const cases = [
    [['rum', 'x.json'], /\brun\b/],
    [['run', '--jsno', 'x', 'y.json'], /--json/],
    [['run'], /FILE|scenario/i],
    [['run', 'a.json', 'b.json'], /./],
    [['validate'], /FILE|scenario/i],
    [['run', 'a.json', '--json'], /--json/],
    [['mockserver', '--adr', ':0'], /--addr/],
  ];
  for (const [args, pattern] of cases) {
    const end = await mcpdrill(args, { timeoutMs: 5000 });
    assert.equal(end.code, 2, `${args.join(' ')}: ${end.stdout}${end.stderr}`);
    assert.match(end.stderr, pattern);
  }
});

test('an output that cannot be written is said before the load begins', async () => {
  const folder = tempDir();
  mkdirSync(join(folder, 'taken.json'));
  const end = await mcpdrill(['run', writeScenario(good()), '--json', join(folder, 'taken.json')], {
    timeoutMs: 8000,
  });
  assert.notEqual(end.code, 0);
  assert.match(end.stderr, /taken\.json/);
});

test('help, version and schema', async () => {
  for (const args of [
    ['help'],
    ['--help'],
    ['help', 'run'],
    ['run', '--help'],
    ['version'],
    ['--version'],
    ['schema'],
  ]) {
    const end = await mcpdrill(args);
    assert.equal(end.code, 0, args.join(' '));
    assert.ok(end.stdout.length > 0, args.join(' '));
  }
  const schema = JSON.parse((await mcpdrill(['schema'])).stdout);
  assert.ok(schema.properties.stages);
});

test('the mock server refuses addresses and flags that make no sense', async () => {
  for (const args of [
    ['--addr', 'nonsense'],
    ['--addr', ':99999'],
    ['--addr', '127.0.0.1:0', '--seed', 'x'],
    ['--bogus'],
  ]) {
    const end = await mcpdrill(['mockserver', ...args], { timeoutMs: 5000 });
    assert.equal(end.code, 2, `${args.join(' ')}: ${end.stdout}${end.stderr}`);
  }
});

test('a port that is taken is said, not shared', async (t) => {
  const mock = await startMock(t);
  const end = await mcpdrill(['mockserver', '--addr', new URL(mock.url).host], { timeoutMs: 5000 });
  assert.equal(end.code, 1, end.stdout);
  assert.match(end.stderr, /Address already in use/);
});
